package dev.murmuration.bench;

import dev.murmuration.bench.BenchResult.BestOf;
import dev.murmuration.bench.BenchResult.Latency;
import dev.murmuration.bench.BenchResult.Prefill;
import dev.murmuration.bench.BenchResult.Reuse;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringCost;
import dev.murmuration.reward.ScoringSession;
import dev.murmuration.reward.ScoringStatistics;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/**
 * Measures a model with random texts. What is compared takes turns, so that a machine that is busy
 * for a while spoils both sides.
 */
final class Bench {
  /** The shortest context that holds all texts. */
  static final int LEAST_CONTEXT = 64;

  private static final int LEAST_REPETITIONS = 3;
  private static final int LEAST_CALLS = 20;

  /** Work that takes so many times what was meant for it is not repeated. */
  private static final double PATIENCE = 40;

  // Sizes of a usual best of N, in tokens; scaled down where they do not fit.
  private static final double USUAL = 560;
  private static final int PROMPT = 200;
  private static final int SHORTEST_RESPONSE = 110;
  private static final int LONGEST_RESPONSE = 330;

  private static final int SHORT = 20;
  private static final int LONG = 400;
  private static final int EDIT = 10;

  private final RewardModel model;
  private final BenchTexts texts;
  private final BenchArithmetic arithmetic;
  private final double seconds;
  private final BenchProgress progress;

  /** One time that work was done, and what it was. */
  private record Sample(double seconds, ScoringStatistics done) {}

  /**
   * A bench.
   *
   * @param microBatch most tokens that it computes at once
   * @param seconds how long each measurement takes, at least
   */
  Bench(RewardModel model, int microBatch, double seconds, BenchProgress progress)
      throws IOException {
    this.model = model;
    this.texts = new BenchTexts(model);
    this.arithmetic = BenchArithmetic.of(model.size(), microBatch);
    this.seconds = seconds;
    this.progress = progress;
    model.score(Input.text(texts.raw(SHORT))); // Reads the weights from the disk.
  }

  /** Texts of each length, one at a time. */
  List<Prefill> prefill(List<Integer> lengths) {
    List<Prefill> measured = new ArrayList<>();
    for (int length : lengths) {
      List<List<Sample>> rounds =
          repeat("prefill, " + length + " tokens", LEAST_REPETITIONS, () -> List.of(raw(length)));
      measured.add(new Prefill(length, figure(rounds, 0, wholeContext(length))));
    }
    return measured;
  }

  /** Responses to one prompt, together and one by one. */
  BestOf bestOf(int responses) {
    List<Conversation> request = request(responses);
    List<List<Sample>> rounds =
        repeat(
            "best of " + responses,
            LEAST_REPETITIONS,
            () ->
                List.of(
                    sample(() -> model.scoreAll(request)),
                    sample(() -> request.forEach(model::score))));
    int[] lengths = request.stream().mapToInt(texts::tokens).toArray();
    double pairs = IntStream.of(lengths).mapToDouble(n -> n * wholeContext(n)).sum();
    return new BestOf(
        responses,
        figure(rounds, 0, context(model.explain(request))),
        figure(rounds, 1, pairs / IntStream.of(lengths).sum()));
  }

  /** Short texts, one at a time. */
  Latency latency() {
    List<List<Sample>> rounds = repeat("short texts", LEAST_CALLS, () -> List.of(raw(SHORT)));
    return new Latency(SHORT, figure(rounds, 0, wholeContext(SHORT)));
  }

  /** Texts of which the model, which has to keep what it computes, knows a part already. */
  Reuse reuse(int responses) {
    int tokens = Math.min(LONG, model.contextLength());
    int edited = Math.min(EDIT, tokens / 8);
    int promptTokens = tokens / 4;
    int responseTokens = tokens - promptTokens - texts.templateTokens();
    String prompt = texts.text(promptTokens);
    String kept = texts.text(responseTokens - edited);
    ScoringSession session = model.session().prompt(prompt);
    session.score(kept + " " + texts.text(edited));
    List<List<Sample>> edits =
        repeat(
            "reuse, an edit",
            LEAST_REPETITIONS,
            () -> {
              String response = kept + " " + texts.text(edited);
              Conversation other =
                  Conversation.of(texts.text(promptTokens), texts.text(responseTokens));
              return List.of(
                  sample(() -> session.score(response)), sample(() -> model.score(other)));
            });
    List<Conversation> example = request(responses);
    double context = context(model.explain(example));
    List<List<Sample>> requests =
        repeat(
            "reuse, best of " + responses,
            LEAST_REPETITIONS,
            () -> {
              List<Conversation> request = request(responses);
              return List.of(
                  sample(() -> model.scoreAll(request)), sample(() -> model.scoreAll(request)));
            });
    return new Reuse(
        tokens,
        edited,
        figure(edits, 1, wholeContext(tokens)),
        figure(edits, 0, tokens),
        responses,
        figure(requests, 0, context),
        figure(requests, 1, context));
  }

  private List<Conversation> request(int responses) {
    double scale = Math.min(1, model.contextLength() / USUAL);
    int[] lengths =
        IntStream.range(0, responses)
            .map(
                i ->
                    SHORTEST_RESPONSE
                        + (LONGEST_RESPONSE - SHORTEST_RESPONSE) * i / Math.max(1, responses - 1))
            .map(length -> (int) (scale * length))
            .toArray();
    return texts.request((int) (scale * PROMPT), lengths);
  }

  // ---- repeating and counting ----

  private Sample raw(int tokens) {
    String text = texts.raw(tokens);
    return sample(() -> model.score(Input.text(text)));
  }

  private Sample sample(Runnable work) {
    ScoringStatistics before = model.statistics();
    double took = seconds(work);
    return new Sample(took, model.statistics().since(before));
  }

  private static double seconds(Runnable work) {
    long start = System.nanoTime();
    work.run();
    return (System.nanoTime() - start) / 1e9;
  }

  /** Repeats some work, a few times at least, for so many seconds. */
  private List<List<Sample>> repeat(String label, int least, Supplier<List<Sample>> round) {
    try (BenchProgress.Step bar = progress.next(label)) {
      List<List<Sample>> results = new ArrayList<>();
      long start = System.nanoTime();
      double elapsed;
      do {
        results.add(round.get());
        elapsed = (System.nanoTime() - start) / 1e9;
        bar.accept(Math.min(1, Math.min(elapsed / seconds, (double) results.size() / least)));
      } while (elapsed < seconds || (results.size() < least && elapsed < PATIENCE * seconds));
      return results;
    }
  }

  /** One of the kinds of work that took turns. */
  private BenchFigure figure(List<List<Sample>> rounds, int kind, double context) {
    List<Sample> samples = rounds.stream().map(round -> round.get(kind)).toList();
    double computed = mean(samples, done -> done.tokensComputed());
    double read = Math.min(computed, mean(samples, done -> done.texts()));
    return new BenchFigure(
        new BenchTimes(samples.stream().map(Sample::seconds).toList()),
        mean(samples, done -> done.texts()),
        mean(samples, done -> done.tokensAsked()),
        computed,
        arithmetic.operations(computed, context, read),
        arithmetic.bytes(computed, mean(samples, done -> done.decodes())));
  }

  private static double mean(List<Sample> samples, ToDoubleFunction<ScoringStatistics> value) {
    return samples.stream()
        .mapToDouble(sample -> value.applyAsDouble(sample.done()))
        .average()
        .orElseThrow();
  }

  /** Tokens that a token of a whole text looks at, on average. */
  private static double wholeContext(int tokens) {
    return (tokens + 1) / 2.0;
  }

  /** The same for the tokens of texts that are scored together. */
  private static double context(ScoringCost cost) {
    return (double) cost.tokensSeen() / (cost.tokensComputed() - cost.fillers());
  }
}
