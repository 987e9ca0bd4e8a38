package dev.murmuration.llama;

/**
 * A device on which ggml can compute.
 *
 * @param name llama.cpp's name for it, such as {@code CPU} or {@code CUDA0}
 * @param description the hardware's own name
 * @param freeBytes free memory, in bytes; for a CPU what this process may take
 * @param totalBytes all its memory, in bytes
 */
public record Device(String name, String description, Kind kind, long freeBytes, long totalBytes) {
  /**
   * What sort of device: the processor, a graphics card, one that shares the main memory, or
   * another accelerator.
   */
  public enum Kind {
    CPU,
    GPU,
    INTEGRATED_GPU,
    ACCELERATOR;

    /** Whether layers of a model can be put there. */
    public boolean takesLayers() {
      return this == GPU || this == INTEGRATED_GPU;
    }
  }
}
