package dev.murmuration.cli;

import dev.murmuration.gguf.GgufTensorType;
import java.util.List;

/**
 * What {@code murmur bench} found. Parts that were not asked for are null, or empty.
 *
 * @param subject what was measured
 * @param peak operations a second in a large matrix multiplication
 * @param prefill different texts of the same length, one at a time
 * @param bestOf responses to one prompt
 * @param latency short texts, one at a time
 * @param reuse what the cache saves
 */
record BenchResult(
    Subject subject,
    double peak,
    List<Prefill> prefill,
    BestOf bestOf,
    Latency latency,
    Reuse reuse) {
  /** A machine, a model and what it is computed with. */
  record Subject(
      String machine,
      int processors,
      int threads,
      String model,
      long parameters,
      GgufTensorType type,
      String precision) {}

  record Prefill(int tokens, BenchFigure figure) {}

  /** The same responses, in one request and one after another. */
  record BestOf(int responses, BenchFigure together, BenchFigure oneByOne) {
    double ratio() {
      return together.rewardsPerSecond() / oneByOne.rewardsPerSecond();
    }
  }

  record Latency(int tokens, BenchFigure figure) {}

  /**
   * A text of new tokens, and one of which only the end is new; responses to one prompt, and the
   * same once more.
   */
  record Reuse(
      int tokens,
      int editedTokens,
      BenchFigure full,
      BenchFigure edit,
      int responses,
      BenchFigure first,
      BenchFigure again) {
    double editRatio() {
      return edit.times().median() / full.times().median();
    }

    double againRatio() {
      return again.times().median() / first.times().median();
    }
  }

  /** A share of the peak, as a number of 0 to about 1. */
  double share(BenchFigure figure) {
    return figure.operationsPerSecond() / peak;
  }
}
