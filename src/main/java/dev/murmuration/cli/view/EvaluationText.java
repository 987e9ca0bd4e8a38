package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.evaluation.Accuracy;
import dev.murmuration.evaluation.Agreement;
import dev.murmuration.evaluation.Benchmark;
import dev.murmuration.evaluation.Bias;
import dev.murmuration.evaluation.Calibration;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.Interval;
import dev.murmuration.evaluation.Ranks;
import java.util.Locale;
import java.util.Map;

/** An evaluation for people: a table of accuracies, and a line each for the rest. */
public final class EvaluationText {
  private final Evaluation evaluation;
  private final Terminal terminal;

  private EvaluationText(Evaluation evaluation, Terminal terminal) {
    this.evaluation = evaluation;
    this.terminal = terminal;
  }

  /** Prints an evaluation. */
  public static void print(Evaluation evaluation, Terminal terminal) {
    new EvaluationText(evaluation, terminal).print();
  }

  private void print() {
    terminal
        .out()
        .println(
            Colour.DIM.of(
                String.format("%-24s %9s  %-15s %9s %6s", "", "accuracy", "95 %", "pairs", "ties"),
                terminal));
    row("all pairs", evaluation.accuracy());
    line("  by prompt", range(evaluation.accuracy().byPrompt()));
    line("  mean of the rows", percent(evaluation.accuracy().perRow()));
    evaluation.groups().forEach(this::group);
    evaluation.benchmark().ifPresent(this::benchmark);
    evaluation.agreement().ifPresent(this::agreement);
    terminal.out().println();
    ranks(evaluation.ranks());
    calibration(evaluation.calibration());
    margins(evaluation.margins());
    bias(evaluation.bias());
    if (evaluation.truncated() > 0) {
      text(
          String.format(
              Locale.ROOT,
              "%,d of %,d texts were cut, so their rewards are those of a part.",
              evaluation.truncated(),
              evaluation.texts()));
    }
  }

  private void group(String column, Map<String, Accuracy> values) {
    terminal.out().println();
    line(column + ", mean", percent(evaluation.macro().get(column)));
    values.forEach((value, accuracy) -> row("  " + value, accuracy));
  }

  private void agreement(Agreement agreement) {
    terminal.out().println();
    text(
        String.format(
            Locale.ROOT,
            "Beside the reference%s: the same side in %s of %,d pairs (%s), correlation of rewards"
                + " %.4f, of margins %.4f; rewards differ by %.4f in the mean, %.4f at most; its"
                + " accuracy is %s.%s",
            agreement.model().isEmpty() ? "" : " (" + Display.visible(agreement.model()) + ")",
            percent(agreement.sameSide().value()).strip(),
            agreement.pairs(),
            range(agreement.sameSide()).strip(),
            agreement.correlation(),
            agreement.marginCorrelation(),
            agreement.meanDifference(),
            agreement.mostDifference(),
            percent(agreement.accuracy().value()).strip(),
            agreement.missing() == 0
                ? ""
                : String.format(Locale.ROOT, " It lacks %,d pairs.", agreement.missing())));
  }

  private void row(String label, Accuracy accuracy) {
    terminal
        .out()
        .println(
            String.format(
                Locale.ROOT,
                "%s %9s  %-15s %,9d %,6d",
                Display.fit(Display.visible(label), 24),
                percent(accuracy.wilson().value()),
                range(accuracy.wilson()).strip(),
                accuracy.pairs(),
                accuracy.ties()));
  }

  private void line(String label, String value) {
    terminal.out().println(Display.fit(Display.visible(label), 24) + " " + value);
  }

  private void benchmark(Benchmark benchmark) {
    terminal.out().println();
    line(benchmark.name(), percent(benchmark.score()));
    benchmark.parts().forEach((part, score) -> line("  " + part, percent(score)));
    text(benchmark.rule());
  }

  private void ranks(Ranks ranks) {
    if (ranks.rows() > 0) {
      text(
          "Whole rows: the highest reward is a best response's in "
              + percent(ranks.top1().value()).strip()
              + " ("
              + range(ranks.top1()).strip()
              + ") of "
              + String.format(Locale.ROOT, "%,d; mean Kendall τ %.3f.", ranks.rows(), ranks.tau()));
    }
  }

  private void calibration(Calibration calibration) {
    text(
        String.format(
            Locale.ROOT,
            "Calibration: AUC %.4f, Brier %.4f, expected error %.1f %%; with rewards divided by"
                + " %.2f the log loss falls from %.4f to %.4f.",
            calibration.auc(),
            calibration.brier(),
            100 * calibration.error(),
            calibration.temperature(),
            calibration.logLoss(),
            calibration.fitted()));
  }

  private void margins(Evaluation.Margins margins) {
    text(
        String.format(
            Locale.ROOT,
            "Margins: %.2f in the mean, deviation %.2f, median %.2f, %.2f to %.2f.",
            margins.mean(),
            margins.deviation(),
            margins.median(),
            margins.least(),
            margins.most()));
  }

  private void bias(Bias bias) {
    text(
        String.format(
            Locale.ROOT,
            "Length: correlation of differences %.2f; accuracy %s where the preferred one is"
                + " shortest beside the other, %s where it is longest, %s with length taken out.",
            bias.length(),
            percent(bias.byLength().getFirst().accuracy().value()).strip(),
            percent(bias.byLength().getLast().accuracy().value()).strip(),
            percent(bias.withoutLength()).strip()));
    if (!Double.isNaN(bias.plainer().value()) && !Double.isNaN(bias.richer().value())) {
      text(
          "Markdown: accuracy "
              + percent(bias.plainer().value()).strip()
              + " where the preferred one has less of it, "
              + percent(bias.richer().value()).strip()
              + " where it has more.");
    }
  }

  private void text(String text) {
    Display.wrap(text, terminal.columns()).forEach(terminal.out()::println);
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "      –" : String.format(Locale.ROOT, "%7.1f %%", 100 * share);
  }

  private static String range(Interval interval) {
    return Double.isNaN(interval.low())
        ? ""
        : String.format(
            Locale.ROOT, "           %.1f – %.1f", 100 * interval.low(), 100 * interval.high());
  }
}
