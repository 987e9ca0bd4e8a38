package dev.murmuration.memory;

/** The numbers of this room that somebody chose, each with its reason. */
public final class MemoryPolicy {
  /**
   * Most hidden states a decode: a trace asks for all, in portions, because llama.cpp reserves
   * logits for each.
   */
  static final int MAX_OUTPUTS = 256;

  /** Cells for a usual best of eight: a prompt and eight responses of some hundred tokens. */
  static final int USUAL_CELLS = 4096;

  /** Few texts are shorter, and llama.cpp reserves logits for every sequence. */
  static final int CELLS_PER_SEQUENCE = 64;

  /** Batches are multiples of it: some backends compute in such tiles, and it harms none. */
  public static final int TILE = 64;

  /**
   * Bytes that the process takes beside weights, cache and buffers, at most: Java with a small
   * heap, the libraries, the vocabulary.
   */
  public static final long OVERHEAD = 250_000_000;

  private MemoryPolicy() {}
}
