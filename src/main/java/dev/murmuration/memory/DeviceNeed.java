package dev.murmuration.memory;

/**
 * The memory that a model takes of a GPU, in bytes.
 *
 * @param device its name ({@code murmur devices})
 * @param layers transformer layers that lie and are computed there
 * @param weights those layers' weights, and of the last device the output's
 * @param cache keys and values of those layers
 * @param buffers intermediate results, at most
 * @param free memory of the device as its driver reports it, before loading
 */
public record DeviceNeed(
    String device, int layers, long weights, long cache, long buffers, long free) {
  public long total() {
    return weights + cache + buffers;
  }

  boolean fits() {
    return total() <= free;
  }
}
