package dev.murmuration.bench;

import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import java.util.function.IntFunction;

/**
 * Measures what is asked for, and says on what.
 *
 * @param parts what is measured
 * @param lengths tokens of the texts of prefill; empty for those of 64, 512 and 2048 that the model
 *     takes
 * @param responses responses to a prompt, 2 or more
 * @param seconds how long each measurement takes, at least
 * @param microBatch most tokens that the model computes at once
 * @param hardware what it computes with
 */
public record BenchRun(
    Set<BenchPart> parts,
    List<Integer> lengths,
    int responses,
    double seconds,
    int microBatch,
    BenchHardware hardware) {
  private static final List<Integer> USUAL_LENGTHS = List.of(64, 512, 2048);

  /** Loads the model once more. */
  @FunctionalInterface
  public interface Loader {
    RewardModel load() throws IOException;
  }

  /**
   * Measures.
   *
   * @param model one that keeps nothing of what it computed; it is closed
   * @param reusing loads the same, which keeps it
   * @param progress makes what is told the progress of so many measurements
   * @throws IllegalArgumentException if a text would not fit the model's context
   */
  public BenchResult of(RewardModel model, Loader reusing, IntFunction<BenchProgress> progress)
      throws IOException {
    List<Integer> chosen = lengths(model.contextLength());
    BenchResult.Subject subject = subject(model);
    BenchProgress bars = progress.apply(steps(chosen.size()));
    Bench bench = new Bench(model, microBatch, seconds, bars);
    List<BenchResult.Prefill> prefill =
        parts.contains(BenchPart.PREFILL) ? bench.prefill(chosen) : List.of();
    BenchResult.BestOf bestOf = parts.contains(BenchPart.BEST_OF) ? bench.bestOf(responses) : null;
    BenchResult.Latency latency = parts.contains(BenchPart.LATENCY) ? bench.latency() : null;
    model.close(); // Two at once might not fit into memory.
    BenchResult.Reuse reuse = parts.contains(BenchPart.REUSE) ? reuse(reusing, bars) : null;
    try (BenchProgress.Step bar = bars.next("peak")) {
      BenchResult.Limits limits = hardware.limits(subject, seconds, bar);
      return new BenchResult(subject, limits, prefill, bestOf, latency, reuse);
    }
  }

  private BenchResult.Reuse reuse(Loader reusing, BenchProgress bars) throws IOException {
    try (RewardModel model = reusing.load()) {
      return new Bench(model, microBatch, seconds, bars).reuse(responses);
    }
  }

  private BenchResult.Subject subject(RewardModel model) {
    return new BenchResult.Subject(
        hardware.names(),
        Runtime.getRuntime().availableProcessors(),
        model.threads(),
        model.name(),
        model.size().parameters(),
        GgufTensorType.valueOf(model.size().weightType()),
        model.precision().label());
  }

  private int steps(int prefills) {
    return 1
        + (parts.contains(BenchPart.PREFILL) ? prefills : 0)
        + (parts.contains(BenchPart.BEST_OF) ? 1 : 0)
        + (parts.contains(BenchPart.LATENCY) ? 1 : 0)
        + (parts.contains(BenchPart.REUSE) ? 2 : 0);
  }

  private List<Integer> lengths(int context) {
    if (context < Bench.LEAST_CONTEXT) {
      throw new IllegalArgumentException(
          "the context (contextLength) holds "
              + context
              + " tokens; bench takes "
              + Bench.LEAST_CONTEXT
              + " or more");
    }
    if (lengths.isEmpty()) {
      return USUAL_LENGTHS.stream().filter(length -> length <= context).toList();
    }
    for (int length : lengths) {
      if (length > context) {
        throw new IllegalArgumentException(
            "a length is "
                + length
                + " tokens; the context (contextLength) holds "
                + context
                + ": shorten the one or raise the other");
      }
    }
    return lengths;
  }
}
