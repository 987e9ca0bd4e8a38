package dev.murmuration.engine;

import dev.murmuration.architecture.ModelShape;

/**
 * What may wait, what is computed together and what may stay in the cache: numbers that change how
 * fast it is and never what is computed.
 */
final class Policy {
  /**
   * How long the engine's thread watches for the next request before it sleeps: long enough for a
   * caller who scores in a loop to wake, tokenize a short text and submit it. Waking a thread costs
   * more than that.
   */
  static final long WATCH_NANOS = 100_000;

  /**
   * The share of a wave's time that the next one waits for as many requests: callers that score in
   * a loop and got their rewards together submit again together.
   */
  static final double GATHER = 0.02;

  /**
   * Texts that begin with so many tokens alike are planned together, as many as the cache holds.
   * Others gain nothing from more than fills one decode, and each token passes over all that is in
   * the cache.
   */
  static final int ALIKE = 64;

  /** What cells of other texts may cost, as a share of the time that the weights take. */
  private static final double STALE_COST = 0.05;

  /** How many cells ggml's flash attention skips in the time that it computes with one. */
  private static final int SKIPPED = 8;

  /**
   * How many multiplications and additions of a product our kernels do in the time that they look
   * at a cell of another text, which is read from memory for each token in each layer.
   */
  private static final int PASSED = 150;

  /** A recent prompt of so many tokens is always worth its place. */
  private static final long LEAST_STALE = 512;

  /** The same with our kernels, which pass over it faster: some texts that are edited in turns. */
  private static final long LEAST_STALE_OURS = 2048;

  private Policy() {}

  /**
   * The first tokens of a text that may stay in the cache. llama.cpp gives the cells of tokens that
   * no further token of their text would see, because they are outside its window, to the next
   * texts; another text that begins alike would need them.
   */
  static int keptTokens(ModelShape model, Planner.Tile tile) {
    return model.slidingWindow() == 0 ? Integer.MAX_VALUE : tile.down(model.slidingWindow() - 1);
  }

  /**
   * How many tokens may stay in the cache that the next texts do not begin with: those that cost no
   * more than a twentieth of what the weights do. ggml's attention computes with every cell that is
   * taken, its flash attention skips them at a small fraction of that, and our kernels only look
   * which cells a token sees.
   *
   * @param ours whether our kernels compute
   * @param exact whether attention is computed without flash attention where they do not
   */
  static long staleTokens(ModelShape model, boolean ours, boolean exact) {
    long keyValueSize = (long) model.keyValueHeads() * model.headSize();
    long querySize = (long) model.heads() * model.headSize();
    long weights =
        model.hiddenSize() * (2 * querySize + 2 * keyValueSize)
            + 3L * model.hiddenSize() * model.feedForwardSize();
    // A multiplication and an addition for each weight; and for query by key, and score by value.
    double cell = ours ? PASSED : exact ? 4.0 * querySize : 4.0 * querySize / SKIPPED;
    return Math.max(
        ours ? LEAST_STALE_OURS : LEAST_STALE, (long) (STALE_COST * 2 * weights / cell));
  }
}
