package dev.murmuration.evaluation;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.dataset.Preference;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.hipparchus.stat.correlation.KendallsCorrelation;
import org.hipparchus.stat.correlation.SpearmansCorrelation;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/** Statistics against scipy's, and the benchmarks' rules on examples computed by hand. */
@Tag("unit")
class StatisticsTest {
  private static final double EXACT = 1e-9;
  private static final JsonNode SCIPY = scipy();

  private static JsonNode scipy() {
    try {
      return new ObjectMapper()
          .readTree(Path.of("src/test/resources/statistics/expected.json").toFile());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static double[] numbers(String name) {
    return IntStream.range(0, SCIPY.get(name).size())
        .mapToDouble(i -> SCIPY.get(name).get(i).asDouble())
        .toArray();
  }

  private static double number(String name) {
    return SCIPY.get(name).asDouble();
  }

  @Test
  void intervalsAndTests() {
    for (Map.Entry<String, JsonNode> entry : SCIPY.get("wilson").properties()) {
      String[] counts = entry.getKey().split("/", -1);
      Interval interval = Interval.wilson(Double.parseDouble(counts[0]), Long.parseLong(counts[1]));
      assertThat(interval.low())
          .as(entry.getKey())
          .isCloseTo(entry.getValue().get(0).asDouble(), within(EXACT));
      assertThat(interval.high())
          .as(entry.getKey())
          .isCloseTo(entry.getValue().get(1).asDouble(), within(EXACT));
    }
    for (Map.Entry<String, JsonNode> entry : SCIPY.get("mcnemar").properties()) {
      String[] counts = entry.getKey().split("/", -1);
      assertThat(PairedComparison.mcNemar(Long.parseLong(counts[0]), Long.parseLong(counts[1])))
          .as(entry.getKey())
          .isCloseTo(entry.getValue().asDouble(), within(EXACT));
    }
    assertThat(Interval.wilson(0, 0).value()).isNaN();
    assertThat(PairedComparison.mcNemar(0, 0)).isEqualTo(1);
  }

  @Test
  void calibrationAndCorrelations() {
    Calibration calibration = Calibration.of(numbers("margins"));
    assertThat(calibration.auc()).isCloseTo(number("auc"), within(EXACT));
    assertThat(calibration.brier()).isCloseTo(number("brier"), within(EXACT));
    assertThat(calibration.logLoss()).isCloseTo(number("log_loss"), within(EXACT));
    assertThat(calibration.temperature()).isCloseTo(number("temperature"), within(EXACT));
    assertThat(calibration.fitted()).isCloseTo(number("fitted"), within(EXACT));
    assertThat(new KendallsCorrelation().correlation(numbers("x"), numbers("y")))
        .isCloseTo(number("tau_b"), within(EXACT));
    assertThat(new SpearmansCorrelation().correlation(numbers("x"), numbers("y")))
        .isCloseTo(number("spearman"), within(EXACT));
    Evaluation.Margins margins = Evaluation.Margins.of(numbers("margins"));
    assertThat(margins.mean()).isCloseTo(number("mean"), within(EXACT));
    assertThat(margins.deviation()).isCloseTo(number("deviation"), within(EXACT));
    assertThat(margins.median()).isCloseTo(number("median"), within(EXACT));
    assertThat(margins.histogram().stream().mapToLong(Long::longValue).sum()).isEqualTo(200);
  }

  /** Rewards that are always right, or say nothing, have no temperature between. */
  @Test
  void temperatureAtTheEnds() {
    assertThat(Calibration.of(new double[] {1, 2}).temperature()).isZero();
    assertThat(Calibration.of(new double[] {-1, -2}).temperature()).isInfinite();
    assertThat(Calibration.of(new double[] {0}).auc()).isEqualTo(0.5);
  }

  // ---- rows ----

  private static Judged row(
      int number, String id, Map<String, String> groups, int good, double... rewards) {
    List<Judged.Response> responses = new ArrayList<>();
    for (double reward : rewards) {
      responses.add(new Judged.Response(reward, 10 + (int) reward, 0, false, ""));
    }
    List<Preference> preferences = new ArrayList<>();
    for (int better = 0; better < good; better++) {
      for (int worse = good; worse < rewards.length; worse++) {
        preferences.add(new Preference(better, worse, 1));
      }
    }
    return new Judged(number, id, number, groups, responses, preferences);
  }

  @Test
  void accuracyCountsTiesAsHalf() {
    Accuracy accuracy =
        Accuracy.of(
            List.of(
                row(1, "", Map.of(), 1, 3, 1, 2), // two right
                row(2, "", Map.of(), 1, 1, 1, 2))); // one tie, one wrong
    assertThat(accuracy.pairs()).isEqualTo(4);
    assertThat(accuracy.ties()).isEqualTo(1);
    assertThat(accuracy.wilson().value()).isEqualTo(2.5 / 4);
    assertThat(accuracy.perRow()).isEqualTo((1 + 0.25) / 2);
    assertThat(accuracy.byPrompt().value()).isEqualTo(2.5 / 4);
    assertThat(accuracy.byPrompt().low()).isEqualTo(0.25);
    assertThat(accuracy.byPrompt().high()).isEqualTo(1);
  }

  @Test
  void wholeRows() {
    // Ranked 0 before 1 before 2; the model has 1 before 0 before 2.
    List<Preference> order =
        List.of(new Preference(0, 1, 1), new Preference(0, 2, 2), new Preference(1, 2, 1));
    Judged ranked =
        new Judged(1, "", 1, Map.of(), row(1, "", Map.of(), 1, 2, 3, 1).candidates(), order);
    Ranks ranks = Ranks.of(List.of(ranked));
    assertThat(ranks.top1().value()).isZero();
    assertThat(ranks.tau()).isCloseTo(1.0 / 3, within(EXACT));
    // Worths 1, ½, 0. Best of one: their mean; of two: {0,1} gives ½, {0,2} gives 1, {1,2} gives ½.
    assertThat(ranks.bestOf().get(0)).isCloseTo(0.5, within(EXACT));
    assertThat(ranks.bestOf().get(1)).isCloseTo(2.0 / 3, within(EXACT));
    assertThat(ranks.bestOf().get(2)).isCloseTo(0.5, within(EXACT));
    // Two highest ones, one of them good: half.
    assertThat(Ranks.top1(row(2, "", Map.of(), 1, 5, 5, 1))).isEqualTo(0.5);
  }

  // ---- benchmarks ----

  private static Benchmark benchmark(String schema, Judged... rows) {
    return Benchmarks.of(schema, List.of(rows)).orElseThrow();
  }

  @Test
  void rewardBenchWeighsSubsets() {
    Benchmark benchmark =
        benchmark(
            "rewardbench",
            row(1, "", Map.of("subset", "alpacaeval-easy"), 1, 2, 1), // right, weight 100
            row(2, "", Map.of("subset", "mt-bench-easy"), 1, 1, 2), // wrong, weight 28
            row(3, "", Map.of("subset", "math-prm"), 1, 1, 1)); // a tie is wrong
    assertThat(benchmark.parts()).containsOnlyKeys("Chat", "Reasoning");
    assertThat(benchmark.parts().get("Chat")).isCloseTo(100.0 / 128, within(EXACT));
    assertThat(benchmark.parts().get("Reasoning")).isZero();
    assertThat(benchmark.score()).isCloseTo(50.0 / 128, within(EXACT));
  }

  /**
   * Ties by hand: prompt 1 is right both times, its correct answers 1 apart and 3 above the wrong
   * one; its twin's is 2 above. Prompt 2 is right with one correct answer and wrong with several.
   */
  @Test
  void rewardBench2Ties() {
    Map<String, String> ties = Map.of("subset", "Ties");
    List<Judged> rows =
        List.of(
            row(1, "tied:1", ties, 2, 5, 4, 1),
            row(2, "ref:1", ties, 1, 3, 1),
            row(3, "tied:2", ties, 2, 5, 1, 2),
            row(4, "ref:2", ties, 1, 3, 2.5));
    double margin = (Math.tanh(2.0 / 1 - 1) + Math.tanh(-1.0 / 4 - 1)) / 2;
    double expected = 0.30 * 0.5 + 0.30 * 1 + 0.20 * 0.5 + 0.20 * 0.5 + 0.01 * margin;
    assertThat(Benchmarks.ties(rows)).isCloseTo(expected, within(EXACT));
    Benchmark benchmark =
        benchmark(
            "rewardbench2",
            rows.get(0),
            rows.get(1),
            rows.get(2),
            rows.get(3),
            row(5, "x", Map.of("subset", "Math"), 1, 2, 2, 1, 0)); // two highest ones: a half
    assertThat(benchmark.parts().get("Math")).isEqualTo(0.5);
    assertThat(benchmark.score()).isCloseTo((expected + 0.5) / 2, within(EXACT));
  }

  /** The chosen responses of each style against the rejected ones, two rows of one domain. */
  @Test
  void rmBenchMatrix() {
    Map<String, String> refuse = Map.of("domain", "safety-refuse");
    Map<String, String> respond = Map.of("domain", "safety-response");
    Judged first = row(1, "", refuse, 3, 1, 2, 3, 0.5, 1.5, 2.5);
    Judged second = row(2, "", respond, 3, 9, 9, 9, 0, 0, 9);
    assertThat(Benchmarks.matrix(List.of(first, second)))
        .isDeepEqualTo(new double[][] {{1, 0.5, 0}, {1, 1, 0}, {1, 1, 0.5}});
    Benchmark benchmark = benchmark("rm-bench", first, second);
    assertThat(benchmark.parts().get("easy")).isCloseTo(1.0, within(EXACT));
    assertThat(benchmark.parts().get("normal")).isCloseTo(2.5 / 3, within(EXACT));
    assertThat(benchmark.parts().get("hard")).isCloseTo(0.5 / 3, within(EXACT));
    assertThat(benchmark.score()).isCloseTo((1 + 2.5 / 3 + 0.5 / 3) / 3, within(EXACT));
  }

  @Test
  void rewardBench2TiesWithoutTwins() {
    Map<String, String> ties = Map.of("subset", "Ties");
    assertThat(Benchmarks.ties(List.of(row(1, "tied:1", ties, 2, 5, 4, 1)))).isNaN();
  }

  /** All pairs count alike, whatever part they are of; a tie is wrong. */
  @Test
  void judgeBenchIsTheShareOfAllPairs() {
    Benchmark benchmark =
        benchmark(
            "judgebench",
            row(1, "", Map.of("source", "mmlu-pro-law"), 1, 2, 1),
            row(2, "", Map.of("source", "mmlu-pro-math"), 1, 1, 1),
            row(3, "", Map.of("source", "mmlu-pro-math"), 1, 0, 1),
            row(4, "", Map.of("source", "livebench-math"), 1, 2, 1),
            row(5, "", Map.of("source", "livecodebench"), 1, 2, 1));
    assertThat(benchmark.parts()).containsOnlyKeys("knowledge", "math", "coding");
    assertThat(benchmark.parts().get("knowledge")).isCloseTo(1.0 / 3, within(EXACT));
    assertThat(benchmark.score()).isEqualTo(3.0 / 5);
  }

  // ---- two runs ----

  @Test
  void whatBecomesOfPreferences() {
    Fidelity fidelity =
        Fidelity.of(
            List.of(new double[] {1, 2, 3}, new double[] {5, 4}),
            List.of(new double[] {1, 3, 2}, new double[] {5.5, 4}));
    assertThat(fidelity.pairs()).isEqualTo(4);
    assertThat(fidelity.flipped().value()).isEqualTo(0.25);
    assertThat(fidelity.topChanged().value()).isEqualTo(0.5);
    assertThat(fidelity.regret()).isEqualTo(0.5); // 3 − 2 in one of two rows
    assertThat(fidelity.drift()).isCloseTo(0.1, within(EXACT));
    assertThat(fidelity.rms()).isCloseTo(Math.sqrt((1 + 1 + 0.25) / 5), within(EXACT));
    Fidelity same = Fidelity.of(List.of(new double[] {1, 2}), List.of(new double[] {1, 2}));
    assertThat(same.tau()).isEqualTo(1);
    assertThat(same.tieMargin()).isZero();
  }
}
