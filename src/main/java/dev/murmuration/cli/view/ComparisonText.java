package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.evaluation.Fidelity;
import dev.murmuration.evaluation.Interval;
import dev.murmuration.evaluation.PairedComparison;
import java.util.Locale;

/** Two results on the same rows, for people. */
public final class ComparisonText {
  private static final int SHOWN_CHANGES = 5;

  private ComparisonText() {}

  /** Prints a comparison. */
  public static void print(PairedComparison comparison, Terminal terminal) {
    if (comparison.pairs() > 0) {
      line(terminal, "first", share(comparison.first()));
      line(terminal, "second", share(comparison.second()));
      line(
          terminal,
          "difference",
          String.format(
              Locale.ROOT,
              "%+.2f points, %+.2f to %+.2f (95 %%, by prompt)",
              100 * comparison.difference().value(),
              100 * comparison.difference().low(),
              100 * comparison.difference().high()));
      line(
          terminal,
          "only one right",
          String.format(
              Locale.ROOT,
              "first %,d, second %,d of %,d pairs; McNemar's p = %.3g",
              comparison.onlyFirst(),
              comparison.onlySecond(),
              comparison.pairs(),
              comparison.mcNemar()));
    }
    Fidelity fidelity = comparison.fidelity();
    line(
        terminal,
        "flipped",
        String.format(
            Locale.ROOT,
            "%.2f %% of %,d pairs; another best response in %.2f %% of %,d rows",
            100 * fidelity.flipped().value(),
            fidelity.pairs(),
            100 * fidelity.topChanged().value(),
            fidelity.rows()));
    line(
        terminal,
        "rewards",
        String.format(
            Locale.ROOT,
            "differ by %.4f (root mean square), %+.4f in the mean; they spread by %.2f",
            fidelity.rms(),
            fidelity.drift(),
            fidelity.spread()));
    comparison.changes().stream().limit(SHOWN_CHANGES).forEach(change -> line(terminal, change));
  }

  private static void line(Terminal terminal, PairedComparison.Change change) {
    String id = change.id().isEmpty() ? "" : " (" + Display.visible(change.id()) + ")";
    line(
        terminal,
        change.first() > 0 ? "lost" : "won",
        String.format(
            Locale.ROOT,
            "row %d%s: response %d before %d by %+.3f, then by %+.3f",
            change.row(),
            id,
            change.better() + 1,
            change.worse() + 1,
            change.first(),
            change.second()));
  }

  private static String share(Interval interval) {
    return String.format(
        Locale.ROOT,
        "%.2f %%, %.2f to %.2f (95 %%)",
        100 * interval.value(),
        100 * interval.low(),
        100 * interval.high());
  }

  private static void line(Terminal terminal, String label, String text) {
    String start = String.format("%-16s", label);
    for (String part : Display.wrap(text, Math.max(20, terminal.columns() - 16))) {
      terminal.out().println(start + part);
      start = " ".repeat(16);
    }
  }
}
