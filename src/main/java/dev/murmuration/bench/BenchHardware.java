package dev.murmuration.bench;

import dev.murmuration.llama.Device;
import dev.murmuration.llama.DeviceChoice;
import dev.murmuration.llama.Hardware;
import dev.murmuration.llama.Llama;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * What a model is computed with.
 *
 * @param processor the processor's own name, if it says one
 * @param accelerators what layers are put on, beside the processor
 */
public record BenchHardware(Optional<String> processor, List<Device> accelerators) {
  /**
   * What this machine has for a model.
   *
   * @param gpuLayers layers that go to a GPU; 0 for none
   * @param device the only ones that layers are put on, if they are named
   */
  public static BenchHardware of(int gpuLayers, Optional<String> device) {
    List<Device> devices = Llama.devices();
    return new BenchHardware(
        devices.stream()
            .filter(found -> found.kind() == Device.Kind.CPU)
            .map(Device::description)
            .findFirst(),
        DeviceChoice.here(gpuLayers, device.orElse(null)).devices());
  }

  /** Their names, in one line. */
  String names() {
    return Stream.concat(processor.stream(), accelerators.stream().map(Device::description))
        .map(String::strip)
        .collect(Collectors.joining(" + "));
  }

  /** What the processor reaches, if it is the processor that computes. */
  BenchResult.Limits limits(BenchResult.Subject subject, double seconds, BenchProgress.Step bar) {
    if (!accelerators.isEmpty()) {
      return new BenchResult.Limits(
          Optional.empty(), OptionalDouble.empty(), "a GPU computes, which bench cannot measure");
    }
    Optional<Hardware.Peak> peak = Hardware.peak(subject.type().id(), subject.threads(), seconds);
    bar.accept(0.5);
    return new BenchResult.Limits(
        peak,
        Hardware.memory(subject.threads(), seconds),
        peak.isPresent() ? "" : "bench has no measurement for this kind of processor");
  }
}
