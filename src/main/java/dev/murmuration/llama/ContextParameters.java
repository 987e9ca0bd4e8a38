package dev.murmuration.llama;

/**
 * What a context is made of.
 *
 * @param contextLength cells of the key/value cache, in tokens; llama.cpp rounds up to a multiple
 *     of 256
 * @param batchSize most tokens a decode; at most {@code contextLength}
 * @param microBatchSize most tokens computed at once
 * @param maxSequences most sequences in the cache at once, 1 to 256
 * @param maxOutputs most flagged tokens a decode
 * @param threads threads that compute, 1 to 512
 * @param halfPrecisionCache keys and values as float16 instead of float32
 * @param flashAttention computes attention in tiles: faster, less memory; works in float16
 * @param readout how the hidden state is read
 */
public record ContextParameters(
    int contextLength,
    int batchSize,
    int microBatchSize,
    int maxSequences,
    int maxOutputs,
    int threads,
    boolean halfPrecisionCache,
    boolean flashAttention,
    Readout readout) {

  /** llama.cpp rounds the cache up to a multiple of so many tokens. */
  private static final int CELL_GROUP = 256;

  /** How the hidden state of a flagged token is read. */
  public enum Readout {
    /**
     * Captured in the middle of the computation; the language-model head and other tokens' last
     * layer never run.
     */
    PRUNED,
    /**
     * llama.cpp's own {@code embeddings = true}: every token is computed to the end. The oracle of
     * the other.
     */
    EMBEDDINGS
  }

  /** Checks every bound that llama.cpp would answer with an abort. */
  public ContextParameters {
    require(
        contextLength >= 1 && contextLength <= 1 << 24,
        "contextLength",
        contextLength,
        "1 to 16777216");
    require(maxSequences >= 1 && maxSequences <= 256, "maxSequences", maxSequences, "1 to 256");
    require(contextLength >= maxSequences, "contextLength", contextLength, "at least maxSequences");
    require(
        batchSize >= maxSequences && batchSize <= contextLength,
        "batchSize",
        batchSize,
        "maxSequences to contextLength");
    require(
        microBatchSize >= 1 && microBatchSize <= batchSize,
        "microBatchSize",
        microBatchSize,
        "1 to batchSize");
    require(
        maxOutputs >= maxSequences && maxOutputs <= batchSize,
        "maxOutputs",
        maxOutputs,
        "maxSequences to batchSize");
    require(threads >= 1 && threads <= 512, "threads", threads, "1 to 512");
  }

  /** Cells of the key/value cache. */
  public int cells() {
    return Math.ceilDiv(contextLength, CELL_GROUP) * CELL_GROUP;
  }

  private static void require(boolean holds, String name, int value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + ", allowed is " + range);
    }
  }
}
