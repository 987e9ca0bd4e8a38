package dev.murmuration.memory;

import java.util.List;

/**
 * The main memory that a model takes, in bytes, when its cache has grown to its full size, with
 * which it begins only if that is fixed, and what it takes of GPUs. Loading decides by these
 * numbers and {@code murmur inspect} shows them. The cache's size is exact; that of the buffers is
 * within a few MiB of what llama.cpp reports.
 *
 * @param contextLength tokens of the longest text
 * @param cells tokens of all texts that the cache holds at once, at most
 * @param hostLayers transformer layers that the CPU computes
 * @param weights the weights, in the mapped file or in memory, without those on devices
 * @param repacked a copy of some weights, in the order in which llama.cpp's kernels read
 * @param cache keys and values
 * @param buffers intermediate results and outputs
 * @param devices what is taken of each GPU; empty if the CPU computes everything
 * @param available free memory when it was looked at, before loading
 * @param refusal why it would not be loaded, and what would; null if it would
 */
public record MemoryNeed(
    int contextLength,
    int cells,
    int hostLayers,
    long weights,
    long repacked,
    long cache,
    long buffers,
    List<DeviceNeed> devices,
    long available,
    String refusal) {
  /** All of the main memory but {@link MemoryPolicy#OVERHEAD}. */
  public long total() {
    return weights + repacked + cache + buffers;
  }

  /** The same with a reason why it would not be loaded. */
  MemoryNeed refused(String why) {
    return new MemoryNeed(
        contextLength,
        cells,
        hostLayers,
        weights,
        repacked,
        cache,
        buffers,
        devices,
        available,
        why);
  }
}
