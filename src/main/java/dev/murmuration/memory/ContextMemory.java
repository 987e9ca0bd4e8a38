package dev.murmuration.memory;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;

/**
 * What a context takes of main memory, in bytes, and of the memory of devices that compute layers.
 *
 * <p>The cache is exact. The compute buffer follows the tensors that are alive at once in the graph
 * of {@code src/models}; how llama.cpp packs them is its allocator's business. Over 370 contexts
 * (hidden sizes 64 to 4096, 64 to 2048 tokens at once, 2048 to 8192 cells) its report was between 6
 * MiB less and 4 MiB more.
 *
 * @param hostLayers layers that the CPU computes
 */
public record ContextMemory(ModelShape model, ContextParameters context, int hostLayers) {
  private static final int FLOAT = 4;
  private static final int HALF = 2;

  /** GGML_FA_TILE_Q and GGML_FA_TILE_KV of {@code ggml/src/ggml-cpu/common.h}. */
  private static final int TILE = 64;

  /** Keys and values of the layers that the CPU computes. */
  public long cache() {
    return cache(hostLayers);
  }

  /** Keys and values of so many layers. */
  long cache(int layers) {
    return 2L * layers * keyWidth() * context.cells() * cacheNumber();
  }

  /** Everything else. */
  public long buffers() {
    return (hostLayers == 0 ? inputs() : compute() + work()) + outputs();
  }

  /**
   * Everything else on a device that computes layers. Backends keep matrices in another type beside
   * what llama.cpp reports: at most the widest one in float16, and all that it is multiplied with.
   */
  long deviceBuffers() {
    long widest = (long) model.hiddenSize() * Math.max(model.feedForwardSize(), model.hiddenSize());
    long rows = (long) context.microBatchSize() * model.feedForwardSize();
    return compute() + inputs() + HALF * widest + FLOAT * rows;
  }

  /** What the CPU prepares for a device: masks, and the embeddings of tokens. */
  private long inputs() {
    return mask() + 2L * FLOAT * context.microBatchSize() * model.hiddenSize();
  }

  private long mask() {
    long masks = model.slidingWindow() == 0 ? 1 : 2;
    return masks * context.microBatchSize() * context.cells() * (flash() ? HALF : FLOAT);
  }

  /** What llama.cpp calls the compute buffer: intermediate results of one micro batch. */
  long compute() {
    long rows = context.microBatchSize();
    long hidden = model.hiddenSize();
    long queries = (long) model.heads() * model.headSize();
    long attention = rows * FLOAT * (3 * hidden + 2 * queries + 2 * keyWidth());
    if (flash() && cacheNumber() == FLOAT) {
      attention += 2 * HALF * keyWidth() * context.cells(); // copies that are never written
    }
    if (!flash()) {
      attention += rows * FLOAT * context.cells() * model.heads(); // all weights of a layer
    }
    long feedForward = rows * FLOAT * (3L * model.feedForwardSize() + 4 * hidden);
    // The language-model head never runs when pruned, but has its place.
    long head = FLOAT * (outputRows() * (model.vocabularySize() + 2 * hidden) + 2 * rows * hidden);
    return Math.max(mask() + Math.max(attention, feedForward), head);
  }

  /** What ggml's kernels take beside it: activations in the weights' type, tiles of attention. */
  private long work() {
    long activations = (long) context.microBatchSize() * model.feedForwardSize() * HALF;
    long tiles = FLOAT * (4L * TILE * model.headSize() + 2L * TILE * TILE);
    long perThread = Math.max(tiles, (long) FLOAT * context.cells());
    return activations + context.threads() * perThread;
  }

  /** Logits, which llama.cpp keeps for every output, and the hidden states handed to Java. */
  private long outputs() {
    boolean plain = context.readout() == Readout.EMBEDDINGS;
    long kept = outputRows() * (model.vocabularySize() + (plain ? model.hiddenSize() : 0));
    return FLOAT * (kept + (long) context.maxOutputs() * model.hiddenSize());
  }

  private long outputRows() {
    return context.readout() == Readout.EMBEDDINGS ? context.batchSize() : context.maxOutputs();
  }

  private long keyWidth() {
    return (long) model.keyValueHeads() * model.headSize();
  }

  private int cacheNumber() {
    return context.halfPrecisionCache() ? HALF : FLOAT;
  }

  private boolean flash() {
    return context.flashAttention();
  }
}
