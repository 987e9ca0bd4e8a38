package dev.murmuration.llama;

/**
 * How a model is loaded.
 *
 * @param gpuLayers how many layers go to the GPU; {@link #ALL_LAYERS} for all where there is a GPU,
 *     0 for none
 * @param device names of the devices to use ({@link Device#name()}), with commas between; or null
 *     for llama.cpp's choice
 * @param memoryMap maps the file instead of reading it: it starts at once and is shared between
 *     processes, but a file that is truncated or overwritten while it is mapped ends the process
 * @param float32 whether GPUs multiply in float32, which holds for the process from its first model
 *     on a GPU on
 */
public record ModelParameters(int gpuLayers, String device, boolean memoryMap, boolean float32) {
  /** All layers on the GPU, if there is one. */
  public static final int ALL_LAYERS = -1;

  /** All layers on the GPU if there is one, any device, memory-mapped. */
  public static final ModelParameters DEFAULT = new ModelParameters(ALL_LAYERS, null, true, false);

  public ModelParameters {
    if (gpuLayers < ALL_LAYERS) {
      throw new IllegalArgumentException(
          "gpuLayers is " + gpuLayers + "; give 0 or more, or -1 for all");
    }
  }
}
