package dev.murmuration.memory;

import dev.murmuration.llama.Device;
import dev.murmuration.llama.DeviceChoice;
import java.util.ArrayList;
import java.util.List;

/**
 * Where a model's layers lie, by llama.cpp's rule: the last ones go to the devices, the output
 * counting as one more behind them, in portions as the devices have free memory ({@code
 * llama_model_base::load_tensors}).
 *
 * @param weights of the model
 * @param shares what each device gets; none if the CPU computes everything
 */
record Placement(LayerWeights weights, List<Share> shares) {
  /**
   * What a device gets.
   *
   * @param layers transformer layers
   * @param weights their bytes, and the output's if it is there
   */
  record Share(Device device, int layers, long weights) {}

  /** Everything on the CPU. */
  static Placement host(LayerWeights weights) {
    return new Placement(weights, List.of());
  }

  /**
   * On the devices that are asked for.
   *
   * @throws IllegalArgumentException as {@link DeviceChoice#here}
   */
  static Placement here(LayerWeights weights, ContextRequest request) {
    try {
      return of(
          weights,
          request.gpuLayers(),
          DeviceChoice.here(request.gpuLayers(), request.device()).devices());
    } catch (LinkageError e) {
      // A file can be inspected where nothing can compute.
      return host(weights);
    }
  }

  static Placement of(LayerWeights weights, int gpuLayers, List<Device> devices) {
    int all = weights.layers().size() + 1;
    int asked = gpuLayers < 0 ? all : Math.min(gpuLayers, all);
    if (asked == 0 || devices.isEmpty()) {
      return host(weights);
    }
    // llama.cpp computes with floats: the same ones, so that no layer is on another side.
    float[] ends = new float[devices.size()];
    float sum = 0;
    for (int i = 0; i < ends.length; i++) {
      sum += (float) devices.get(i).freeBytes();
      ends[i] = sum;
    }
    int[] layers = new int[ends.length];
    long[] bytes = new long[ends.length];
    for (int i = 0; i < asked; i++) {
      int device = 0;
      while (device < ends.length - 1 && (float) i / asked >= ends[device] / sum) {
        device++;
      }
      int layer = all - asked + i;
      boolean output = layer == all - 1;
      layers[device] += output ? 0 : 1;
      bytes[device] += output ? weights.output() : weights.layers().get(layer);
    }
    List<Share> shares = new ArrayList<>();
    for (int i = 0; i < ends.length; i++) {
      shares.add(new Share(devices.get(i), layers[i], bytes[i]));
    }
    return new Placement(weights, List.copyOf(shares));
  }

  /** The same devices with another number of layers. */
  Placement withLayers(int gpuLayers) {
    return of(weights, gpuLayers, shares.stream().map(Share::device).toList());
  }

  /** The number that is asked for to put everything on devices. */
  int all() {
    return weights.layers().size() + 1;
  }

  boolean usesDevices() {
    return !shares.isEmpty();
  }

  /** Whether all devices are Vulkan's. */
  boolean isVulkan() {
    return usesDevices()
        && shares.stream().allMatch(share -> share.device().name().startsWith("Vulkan"));
  }

  /** Transformer layers that the CPU computes. */
  int hostLayers() {
    return weights.layers().size() - shares.stream().mapToInt(Share::layers).sum();
  }

  /** Bytes of weights that are not on the CPU. The tied output is a copy. */
  long deviceWeights() {
    long copied = shares.stream().mapToLong(Share::weights).sum();
    return usesDevices() ? copied - weights.copied() : 0;
  }
}
