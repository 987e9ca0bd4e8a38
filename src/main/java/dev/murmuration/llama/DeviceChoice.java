package dev.murmuration.llama;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Which devices get layers of a model. What was asked for and cannot be had is refused with the
 * reason.
 *
 * @param devices those that get some; empty if the CPU computes everything
 * @param named whether they were named, and are not llama.cpp's choice
 */
public record DeviceChoice(List<Device> devices, boolean named) {
  /**
   * The choice on this machine.
   *
   * @param gpuLayers as in {@link ModelParameters}
   * @param names of devices, with commas between; or null for llama.cpp's choice
   * @throws IllegalArgumentException if a device is unknown, or layers are asked for where there is
   *     no GPU
   */
  public static DeviceChoice here(int gpuLayers, String names) {
    return gpuLayers == 0 && names == null
        ? new DeviceChoice(List.of(), false)
        : of(gpuLayers, names, Llama.devices(), Llama.backends());
  }

  static DeviceChoice of(
      int gpuLayers, String names, List<Device> devices, List<Backend> backends) {
    List<Device> able =
        names == null ? usual(devices) : layerTaking(named(names, devices, backends));
    if (gpuLayers > 0 && able.isEmpty()) {
      throw new IllegalArgumentException(
          gpuLayers
              + (gpuLayers == 1 ? " layer on the GPU was" : " layers on the GPU were")
              + " asked for (gpuLayers), but "
              + (names == null
                  ? noGpu(backends)
                  : "device '" + names + "' takes none; name a GPU, or leave gpuLayers out"));
    }
    return new DeviceChoice(gpuLayers == 0 ? List.of() : able, names != null);
  }

  /** As llama.cpp chooses: cards of their own, and those that share the main memory if none are. */
  private static List<Device> usual(List<Device> devices) {
    List<Device> cards =
        devices.stream().filter(device -> device.kind() == Device.Kind.GPU).toList();
    return cards.isEmpty() ? layerTaking(devices) : cards;
  }

  private static List<Device> layerTaking(List<Device> devices) {
    return devices.stream().filter(device -> device.kind().takesLayers()).toList();
  }

  private static List<Device> named(String names, List<Device> devices, List<Backend> backends) {
    List<Device> found = new ArrayList<>();
    for (String name : names.split(",", -1)) {
      Device device =
          devices.stream()
              .filter(one -> one.name().equalsIgnoreCase(name.strip()))
              .findFirst()
              .orElseThrow(() -> unknown(name.strip(), devices, backends));
      if (found.contains(device)) {
        throw new IllegalArgumentException(
            "device '" + device.name() + "' is named twice; name each device once");
      }
      found.add(device);
    }
    return found;
  }

  private static IllegalArgumentException unknown(
      String name, List<Device> devices, List<Backend> backends) {
    String why =
        backends.stream()
            .filter(backend -> backend.problem() != null)
            .filter(
                backend -> name.regionMatches(true, 0, backend.name(), 0, backend.name().length()))
            .map(backend -> "; " + backend.name() + " has none: " + backend.problem())
            .collect(Collectors.joining());
    return new IllegalArgumentException(
        "no device '" + name + "'; there are " + devices.stream().map(Device::name).toList() + why);
  }

  private static String noGpu(List<Backend> backends) {
    List<String> problems =
        backends.stream()
            .filter(backend -> backend.problem() != null)
            .map(backend -> backend.name() + ": " + backend.problem())
            .toList();
    return problems.isEmpty()
        ? "there is no GPU that this build can use, only the CPU; leave gpuLayers out, or build"
            + " with -Dnative.backends=cuda, metal or vulkan"
        : "there is no GPU that can be used. " + String.join("; ", problems);
  }

  /** Their names, for messages. */
  public String names() {
    return devices.stream().map(Device::name).collect(Collectors.joining(", "));
  }
}
