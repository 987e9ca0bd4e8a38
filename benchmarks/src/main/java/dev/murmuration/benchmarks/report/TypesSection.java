package dev.murmuration.benchmarks.report;

import static dev.murmuration.benchmarks.comparison.Comparison.IK;
import static dev.murmuration.benchmarks.comparison.Comparison.IK_REPACKED;
import static dev.murmuration.benchmarks.comparison.Comparison.OTHER_KERNELS;
import static dev.murmuration.benchmarks.comparison.Comparison.OURS;

import dev.murmuration.benchmarks.comparison.Results;
import dev.murmuration.benchmarks.comparison.Results.Measurement;
import dev.murmuration.benchmarks.comparison.Results.Typed;
import dev.murmuration.benchmarks.report.BarChart.Bar;
import dev.murmuration.benchmarks.report.BarChart.Group;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Stream;

/** Prefill by type of the weights. */
final class TypesSection {
  private static final int[] LENGTHS = {512, 2048};

  /** At least so many times llama.cpp's kernels, by type, with a text of each of the lengths. */
  private static final Map<String, double[]> KERNELS =
      Map.of(
          "Q8_0", new double[] {4.0, 4.5},
          "Q4_K_M", new double[] {3.0, 0},
          "Q6_K", new double[] {3.0, 0},
          "Q4_0", new double[] {2.7, 2.8},
          "BF16", new double[] {1.4, 0},
          "F16", new double[] {1.3, 0});

  /** At least so many times ik_llama.cpp, with a text of the first length. */
  private static final Map<String, Double> PEER =
      Map.of("Q4_0", 1.3, "Q8_0", 1.3, "Q4_K_M", 1.3, "Q6_K", 1.3, "BF16", 1.0);

  private final Results.ByType results;
  private final StringBuilder page = new StringBuilder();

  TypesSection(Results.ByType results) {
    this.results = results;
  }

  void write(StringBuilder target, Map<String, BarChart> charts) {
    page.append("\n## Kernels, by type of the weights\n");
    Report.environment(page, results.environment());
    Results.Model model = results.types().getFirst().model();
    line(
        "| model | %.3f billion parameters, %d layers, hidden size %d |",
        model.parameters() / 1e9, model.layers(), model.hidden());
    line(
        "| settings | %d threads, batches of %d, micro-batches of %d tokens; medians of %d"
            + " rounds there and back |",
        results.threads(), results.batch(), results.microBatch(), results.rounds());
    line("%nPrefill of one text, tokens/s. Ratios are medians of the turns' ratios.");
    List<Group> groups =
        results.types().stream()
            .filter(t -> t.find(OURS, LENGTHS[0]) != null)
            .map(this::group)
            .toList();
    Report.chart(
        page,
        charts,
        "types",
        new BarChart("Prefill of " + LENGTHS[0] + " tokens, tokens/s (longer is better)", groups));
    page.append("\n| type | tokens | murmuration | with llama.cpp's kernels | times as fast | |");
    page.append(" ik_llama.cpp | repacked | times as fast as its better | |\n");
    page.append("|---|---|---|---|---|---|---|---|---|---|\n");
    for (int i = 0; i < LENGTHS.length; i++) {
      for (Typed typed : results.types()) {
        row(typed, i);
      }
    }
    target.append(page);
  }

  private Group group(Typed typed) {
    List<Bar> bars = new ArrayList<>();
    for (String contender : List.of(OURS, OTHER_KERNELS, IK, IK_REPACKED)) {
      Measurement m = typed.find(contender, LENGTHS[0]);
      if (m != null) {
        bars.add(new Bar(contender, rate(m), rounded(m), contender.equals(OURS)));
      }
    }
    return new Group(typed.type(), bars);
  }

  private void row(Typed typed, int length) {
    Measurement ours = typed.find(OURS, LENGTHS[length]);
    Measurement other = typed.find(OTHER_KERNELS, LENGTHS[length]);
    if (ours == null || other == null) {
      return;
    }
    Measurement plain = typed.find(IK, LENGTHS[length]);
    Measurement repacked = typed.find(IK_REPACKED, LENGTHS[length]);
    double kernels = KERNELS.getOrDefault(typed.type(), new double[LENGTHS.length])[length];
    double peer =
        Stream.of(plain, repacked)
            .filter(Objects::nonNull)
            .mapToDouble(m -> m.ratio(ours))
            .min()
            .orElse(Double.NaN);
    line(
        "| %s | %d | %s | %s | %s | %s | %s | %s |",
        typed.type(),
        LENGTHS[length],
        rounded(ours),
        rounded(other),
        ratio(other.ratio(ours), kernels),
        rounded(plain),
        rounded(repacked),
        ratio(peer, length == 0 ? PEER.getOrDefault(typed.type(), 0.0) : 0));
  }

  private static String ratio(double value, double bound) {
    if (Double.isNaN(value)) {
      return "– | ";
    }
    String held = value >= bound ? "held" : "**missed**";
    return String.format(
        Locale.ROOT,
        "**%.2f** | %s",
        value,
        bound == 0 ? "" : String.format(Locale.ROOT, "≥ %.1f %s", bound, held));
  }

  private static double rate(Measurement m) {
    return m.tokens() / m.median();
  }

  private static String rounded(Measurement m) {
    return m == null ? "–" : String.format(Locale.ROOT, "%.0f", rate(m));
  }

  private void line(String format, Object... values) {
    page.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
