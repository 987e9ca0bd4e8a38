package dev.murmuration.bench;

import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.llama.Hardware;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;

/**
 * What {@code murmur bench} found. Parts that were not asked for are null, or empty.
 *
 * @param subject what was measured
 * @param limits what the hardware reaches
 * @param prefill different texts of the same length, one at a time
 * @param bestOf responses to one prompt
 * @param latency short texts, one at a time
 * @param reuse what the cache saves
 */
public record BenchResult(
    Subject subject,
    Limits limits,
    List<Prefill> prefill,
    BestOf bestOf,
    Latency latency,
    Reuse reuse) {
  /**
   * What bounds a computation, as far as it is known.
   *
   * @param peak of the instruction that multiplies weights of the model's type
   * @param memory bytes a second that are read from memory
   * @param unknown why there is no peak, for people; empty if there is one
   */
  public record Limits(Optional<Hardware.Peak> peak, OptionalDouble memory, String unknown) {}

  /** A machine, a model and what it is computed with. */
  public record Subject(
      String machine,
      int processors,
      int threads,
      String model,
      long parameters,
      GgufTensorType type,
      String precision) {}

  public record Prefill(int tokens, BenchFigure figure) {}

  /** The same responses, in one request and one after another. */
  public record BestOf(int responses, BenchFigure together, BenchFigure oneByOne) {
    public double ratio() {
      return together.rewardsPerSecond() / oneByOne.rewardsPerSecond();
    }
  }

  public record Latency(int tokens, BenchFigure figure) {}

  /**
   * A text of new tokens, and one of which only the end is new; responses to one prompt, and the
   * same once more.
   */
  public record Reuse(
      int tokens,
      int editedTokens,
      BenchFigure full,
      BenchFigure edit,
      int responses,
      BenchFigure first,
      BenchFigure again) {
    public double editRatio() {
      return edit.times().median() / full.times().median();
    }

    public double againRatio() {
      return again.times().median() / first.times().median();
    }
  }

  /** The share of the peak that was reached, as a number of 0 to about 1. */
  public OptionalDouble shareOfPeak(BenchFigure figure) {
    return limits
        .peak()
        .map(peak -> OptionalDouble.of(figure.operationsPerSecond() / peak.operations()))
        .orElse(OptionalDouble.empty());
  }

  /** The same for memory. */
  public OptionalDouble shareOfMemory(BenchFigure figure) {
    return limits.memory().isPresent()
        ? OptionalDouble.of(figure.bytesPerSecond() / limits.memory().getAsDouble())
        : OptionalDouble.empty();
  }
}
