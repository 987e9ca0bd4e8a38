package dev.murmuration.benchmarks.report;

import static dev.murmuration.benchmarks.comparison.Comparison.AGAIN;
import static dev.murmuration.benchmarks.comparison.Comparison.BENCH;
import static dev.murmuration.benchmarks.comparison.Comparison.CALLERS;
import static dev.murmuration.benchmarks.comparison.Comparison.EDIT;
import static dev.murmuration.benchmarks.comparison.Comparison.EMBEDDINGS;
import static dev.murmuration.benchmarks.comparison.Comparison.FULL;
import static dev.murmuration.benchmarks.comparison.Comparison.JLAMA;
import static dev.murmuration.benchmarks.comparison.Comparison.KHERUD;
import static dev.murmuration.benchmarks.comparison.Comparison.ONE_BY_ONE;
import static dev.murmuration.benchmarks.comparison.Comparison.OURS;
import static dev.murmuration.benchmarks.comparison.Comparison.SCORE_ALL;
import static dev.murmuration.benchmarks.comparison.Comparison.SERVER;
import static dev.murmuration.benchmarks.comparison.Comparison.SERVER_AGAIN;

import dev.murmuration.benchmarks.Texts;
import dev.murmuration.benchmarks.comparison.Results;
import dev.murmuration.benchmarks.comparison.Results.Measurement;
import dev.murmuration.benchmarks.comparison.Results.Task;
import dev.murmuration.benchmarks.report.BarChart.Bar;
import dev.murmuration.benchmarks.report.BarChart.Group;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** The comparison with others. */
final class ComparisonSection {
  private final Results results;
  private final StringBuilder page = new StringBuilder();

  ComparisonSection(Results results) {
    this.results = results;
  }

  void write(StringBuilder target, Map<String, BarChart> charts) {
    Results.Model model = results.model();
    page.append("\n## Beside others, on the same weights\n");
    Report.environment(page, results.environment());
    line(
        "| model | %s (%s): %.3f billion parameters, %d layers, hidden size %d, %.0f MB |",
        model.file(),
        model.name(),
        model.parameters() / 1e9,
        model.layers(),
        model.hidden(),
        model.bytes() / 1e6);
    line(
        "| settings | %d threads, batches of %d, micro-batches of %d tokens; medians of %d"
            + " rounds, in each of which all take turns |",
        results.threads(), results.batch(), results.microBatch(), results.rounds());
    claims();
    bestOf8(charts);
    prefill(charts);
    other();
    checks();
    target.append(page);
  }

  // ---- what it must show ----

  private void claims() {
    page.append("\n### What it must show\n");
    line("%nThe median of the turns' ratios; of the medians, where one had more turns.%n");
    page.append("| | bound | measured | |\n|---|---|---|---|\n");
    int eight = Texts.bestOf8Tokens();
    double distinct = Texts.bestOf8DistinctTokens();
    if (results.tokensComputed() > 0) {
      claim(
          "best of 8: tokens computed, in distinct tokens",
          false,
          1.01,
          results.tokensComputed() / distinct);
    }
    faster("best of 8, times as fast as one by one", 1.8, Task.BEST_OF_8, ONE_BY_ONE, OURS, eight);
    faster("best of 8, times as fast as the JNI peer", 10, Task.BEST_OF_8, KHERUD, OURS, eight);
    faster("best of 8, times as fast as the pure-Java peer", 3, Task.BEST_OF_8, JLAMA, OURS, eight);
    faster("best of 8, times as fast as llama-server", 5, Task.BEST_OF_8, SERVER, OURS, eight);
    faster(
        "the same again, times as fast as llama-server",
        1,
        Task.BEST_OF_8,
        SERVER_AGAIN,
        AGAIN,
        eight);
    for (int tokens : lengths()) {
      faster(
          "prefill of " + tokens + " tokens, times as fast as llama-bench",
          tokens < 512 ? 1 : tokens < 2048 ? 2.7 : 2.8,
          Task.PREFILL,
          BENCH,
          OURS,
          tokens);
    }
    faster(
        "read-out at 2048 tokens, times as fast as embeddings = true",
        1.03,
        Task.PREFILL,
        EMBEDDINGS,
        OURS,
        2048);
    double edit = ratio(Task.SESSION_EDIT, EDIT, FULL, tokens(Task.SESSION_EDIT));
    claim("an edit in a session, share of a full score's time", false, 0.06, edit);
    faster(
        "32 callers, times as fast as one scoreAll",
        0.95,
        Task.CONCURRENCY,
        SCORE_ALL,
        CALLERS,
        tokens(Task.CONCURRENCY));
    Measurement wait = results.find(Task.LONGEST_WAIT, CALLERS, tokens(Task.CONCURRENCY));
    if (wait != null) {
      double longest = wait.values().stream().mapToDouble(d -> d).max().orElseThrow();
      claim("their longest wait, in equal shares", false, 2, longest);
    }
  }

  /** How many times as fast the second is as the first. */
  private void faster(
      String what, double least, Task task, String baseline, String ours, int tokens) {
    claim(what, true, least, ratio(task, baseline, ours, tokens));
  }

  private void claim(String what, boolean least, double bound, double value) {
    if (!Double.isNaN(value)) {
      boolean held = least ? value >= bound : value <= bound;
      line(
          "| %s | %s %.2f | **%.3f** | %s |",
          what, least ? "≥" : "≤", bound, value, held ? "held" : "**missed**");
    }
  }

  private double ratio(Task task, String a, String b, int tokens) {
    Measurement first = results.find(task, a, tokens);
    Measurement second = results.find(task, b, tokens);
    return first == null || second == null ? Double.NaN : first.ratio(second);
  }

  private int tokens(Task task) {
    return of(task).stream().mapToInt(Measurement::tokens).findFirst().orElse(0);
  }

  private List<Measurement> of(Task task) {
    return results.measurements().stream().filter(m -> m.task() == task).toList();
  }

  private List<Integer> lengths() {
    return of(Task.PREFILL).stream().map(Measurement::tokens).distinct().sorted().toList();
  }

  // ---- tables and charts ----

  private void bestOf8(Map<String, BarChart> charts) {
    List<Measurement> sorted =
        of(Task.BEST_OF_8).stream().sorted(Comparator.comparing(Measurement::median)).toList();
    if (sorted.isEmpty()) {
      return;
    }
    page.append("\n### Best of 8\n");
    line(
        "%nEight responses of 110 to 330 tokens to one prompt: %d tokens, %d of them distinct.%s",
        Texts.bestOf8Tokens(),
        Texts.bestOf8DistinctTokens(),
        results.plan().isEmpty() ? "" : " The plan: " + results.plan() + ".");
    List<Bar> bars =
        sorted.stream()
            .map(m -> new Bar(m.contender(), m.median(), seconds(m.median()), ours(m)))
            .toList();
    Report.chart(
        page,
        charts,
        "best-of-8",
        new BarChart("Best of 8, seconds (shorter is better)", List.of(new Group("", bars))));
    page.append("\n| | seconds | rewards/s | of each turn |\n|---|---|---|---|\n");
    for (Measurement m : sorted) {
      line("| %s | %s | %.2f | %s |", m.contender(), seconds(m.median()), 8 / m.median(), turns(m));
    }
  }

  private void prefill(Map<String, BarChart> charts) {
    List<Group> groups = new ArrayList<>();
    for (int tokens : lengths()) {
      groups.add(
          new Group(
              tokens + " tokens",
              of(Task.PREFILL).stream()
                  .filter(m -> m.tokens() == tokens)
                  .sorted(Comparator.comparing(Measurement::median))
                  .map(m -> new Bar(m.contender(), rate(m), number(rate(m)), ours(m)))
                  .toList()));
    }
    if (groups.isEmpty()) {
      return;
    }
    page.append("\n### Prefill\n");
    line("%nOne text; the library's time is that of the whole call.");
    Report.chart(
        page, charts, "prefill", new BarChart("Prefill, tokens/s (longer is better)", groups));
    page.append("\n| tokens | | tokens/s | seconds of each turn |\n|---|---|---|---|\n");
    of(Task.PREFILL).stream()
        .sorted(Comparator.comparing(Measurement::tokens).thenComparing(Measurement::median))
        .forEach(
            m -> line("| %d | %s | %.1f | %s |", m.tokens(), m.contender(), rate(m), turns(m)));
  }

  private void other() {
    page.append("\n### Edits and callers\n\n");
    page.append("| | | seconds | of each turn |\n|---|---|---|---|\n");
    for (Task task : List.of(Task.SESSION_EDIT, Task.CONCURRENCY)) {
      for (Measurement m : of(task)) {
        line(
            "| %s | %s | %s | %s |",
            task == Task.SESSION_EDIT
                ? "the last 10 of " + m.tokens() + " tokens changed"
                : "64 texts of 16 to 96 tokens",
            m.contender(),
            seconds(m.median()),
            turns(m));
      }
    }
  }

  private void checks() {
    page.append("\n### Whether all compute the same\n");
    line(
        "%nBefore the first round, on eight texts, beside llama.cpp's plain decode: the least"
            + " cosine of the hidden states, and the largest difference of the rewards. A dash"
            + " where a contender does not give them, or only normalised.%n");
    page.append("| | cosine | reward |\n|---|---|---|\n");
    for (Results.Agreement check : results.checks()) {
      line(
          "| %s | %s | %s |",
          check.contender(), dash("%.5f", check.cosine()), dash("± %.4f", check.reward()));
    }
  }

  private static String dash(String format, double value) {
    return Double.isNaN(value) ? "–" : String.format(Locale.ROOT, format, value);
  }

  private static boolean ours(Measurement m) {
    return m.contender().equals(OURS) || m.contender().equals(AGAIN);
  }

  private static double rate(Measurement m) {
    return m.tokens() / m.median();
  }

  private static String turns(Measurement m) {
    return m.values().stream().map(ComparisonSection::seconds).collect(Collectors.joining(" "));
  }

  private static String seconds(double value) {
    return String.format(Locale.ROOT, value < 1 ? "%.3f" : "%.2f", value);
  }

  private static String number(double value) {
    return String.format(Locale.ROOT, value < 100 ? "%.1f" : "%.0f", value);
  }

  private void line(String format, Object... values) {
    page.append(String.format(Locale.ROOT, format, values)).append('\n');
  }
}
