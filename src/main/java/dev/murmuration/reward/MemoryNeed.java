package dev.murmuration.reward;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.LlamaHyperparameters;
import java.io.IOException;

/**
 * The main memory that a model takes, in bytes, when it computes on a CPU and its cache has grown
 * to its full size, with which it begins only if that is fixed. {@link RewardModel#load} decides by
 * these numbers and {@code murmur inspect} shows them. The cache's size is exact; that of the
 * buffers is within a few MiB of what llama.cpp reports.
 *
 * @param contextLength tokens of the longest text
 * @param cells tokens of all texts that the cache holds at once, at most
 * @param weights the weights, in the mapped file or in memory
 * @param repacked a copy of some weights, in the order in which llama.cpp's kernels read
 * @param cache keys and values
 * @param buffers intermediate results and outputs
 * @param available free memory when it was looked at, before loading
 * @param refusal why it would not be loaded, and what would; null if it would
 */
public record MemoryNeed(
    int contextLength,
    int cells,
    long weights,
    long repacked,
    long cache,
    long buffers,
    long available,
    String refusal) {
  /**
   * What the process takes besides, at most: Java with a small heap, the libraries, the vocabulary.
   */
  public static final long OVERHEAD = 250_000_000;

  /**
   * What {@link RewardModel#load} would take with the memory that is free now.
   *
   * @throws IOException if the file's context length cannot be read
   * @throws IllegalArgumentException if the context is longer than the model takes
   */
  public static MemoryNeed of(Gguf gguf, LlamaHyperparameters model, Options options)
      throws IOException {
    int length = ModelLoader.contextLength(gguf, options, model);
    return of(model, Weights.of(gguf, model, options), length, options);
  }

  /** The same where there is no file yet, for a conversion to float16. */
  public static MemoryNeed of(LlamaHyperparameters model, int contextLength, Options options) {
    return of(model, Weights.of(model, options), contextLength, options);
  }

  private static MemoryNeed of(
      LlamaHyperparameters model, Weights weights, int contextLength, Options options) {
    return ContextSizes.here(model, weights, options).choose(contextLength).need();
  }

  /** All of it but {@link #OVERHEAD}. */
  public long total() {
    return weights + repacked + cache + buffers;
  }
}
