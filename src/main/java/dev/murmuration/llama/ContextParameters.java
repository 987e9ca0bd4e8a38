package dev.murmuration.llama;

/**
 * The sizes and settings of a context.
 *
 * @param cells cells of the key/value cache, one a token, shared by all sequences; rounded up to a
 *     multiple of 256, as llama.cpp does
 * @param batchSize most tokens a decode; at most {@code cells}
 * @param microBatchSize most tokens computed at once
 * @param maxSequences most sequences in the cache at once, 1 to 256
 * @param maxOutputs most flagged tokens a decode
 * @param threads threads that compute, 1 to 512
 * @param halfPrecisionCache keys and values as float16 instead of float32
 * @param flashAttention computes attention in tiles: faster, less memory; in float16, unless our
 *     own kernels do it
 * @param readout how the hidden state is read
 */
public record ContextParameters(
    int cells,
    int batchSize,
    int microBatchSize,
    int maxSequences,
    int maxOutputs,
    int threads,
    boolean halfPrecisionCache,
    boolean flashAttention,
    Readout readout) {

  /** llama.cpp rounds the cache up to a multiple of so many cells. */
  public static final int CELL_GROUP = 256;

  /** The largest cache. */
  public static final int MAX_CELLS = 1 << 24;

  /** llama.cpp's LLAMA_MAX_SEQ. */
  public static final int MAX_SEQUENCES = 256;

  /** ggml's GGML_MAX_N_THREADS. */
  public static final int MAX_THREADS = 512;

  /** How the hidden state of a flagged token is read. */
  public enum Readout {
    /**
     * The hidden states are captured in the middle of the graph. The last layer is computed only
     * for the tokens that are read, and the language-model head not at all.
     */
    PRUNED,
    /**
     * llama.cpp's own {@code embeddings = true}: the last layer is computed for every token. Tests
     * compare the other with it.
     */
    EMBEDDINGS
  }

  /** Checks every bound that llama.cpp would answer with an abort. */
  public ContextParameters {
    require(cells >= 1 && cells <= MAX_CELLS, "cells", cells, "1 to " + MAX_CELLS);
    cells = Math.ceilDiv(cells, CELL_GROUP) * CELL_GROUP;
    require(
        maxSequences >= 1 && maxSequences <= MAX_SEQUENCES,
        "maxSequences",
        maxSequences,
        "1 to " + MAX_SEQUENCES);
    require(
        batchSize >= maxSequences && batchSize <= cells,
        "batchSize",
        batchSize,
        "maxSequences to cells");
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
    require(threads >= 1 && threads <= MAX_THREADS, "threads", threads, "1 to " + MAX_THREADS);
  }

  private static void require(boolean holds, String name, int value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + ", allowed is " + range);
    }
  }
}
