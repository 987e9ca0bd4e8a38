package dev.murmuration.memory;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;

/**
 * What a context takes of main memory, in bytes, when it computes on a CPU.
 *
 * <p>The cache is exact. The compute buffer follows the tensors that are alive at once in the graph
 * of {@code src/models}; how llama.cpp packs them is its allocator's business. Over 370 contexts
 * (hidden sizes 64 to 4096, 64 to 2048 tokens at once, 2048 to 8192 cells) its report was between 6
 * MiB less and 4 MiB more.
 */
public record ContextMemory(ModelShape model, ContextParameters context) {
  private static final int FLOAT = 4;
  private static final int HALF = 2;

  /** GGML_FA_TILE_Q and GGML_FA_TILE_KV of {@code ggml/src/ggml-cpu/common.h}. */
  private static final int TILE = 64;

  /** Keys and values of all layers. */
  public long cache() {
    return 2L * model.layers() * keyWidth() * context.cells() * cacheNumber();
  }

  /** Everything else. */
  public long buffers() {
    return compute() + work() + outputs();
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
    long masks = model.slidingWindow() == 0 ? 1 : 2;
    long mask = masks * rows * context.cells() * (flash() ? HALF : FLOAT);
    // The language-model head never runs when pruned, but has its place.
    long head = FLOAT * (outputRows() * (model.vocabularySize() + 2 * hidden) + 2 * rows * hidden);
    return Math.max(mask + Math.max(attention, feedForward), head);
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
