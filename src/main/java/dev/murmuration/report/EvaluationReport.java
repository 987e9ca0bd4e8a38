package dev.murmuration.report;

import dev.murmuration.dataset.Preference;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.Interval;
import dev.murmuration.evaluation.Judged;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * An evaluation as a page.
 *
 * @param model that was evaluated
 * @param data on which
 * @param evaluation what was found
 * @param rows with their rewards
 * @param run how it was run, by name
 * @param worst the worst disagreements, with their texts
 * @param json all numbers
 */
public record EvaluationReport(
    String model,
    String data,
    Evaluation evaluation,
    List<Judged> rows,
    Map<String, String> run,
    List<Disagreement> worst,
    String json) {

  /**
   * A pair whose preferred response has the lower reward.
   *
   * @param place of the row
   * @param prompt what both answer
   * @param preferred the response that people prefer
   * @param other the other one
   * @param rewards of both, in this order
   */
  public record Disagreement(
      String place, String prompt, String preferred, String other, List<Double> rewards) {}

  /** The page. */
  public String html() throws IOException {
    Page page =
        new Page(
            "Reward model evaluation",
            model,
            data
                + String.format(
                    Locale.ROOT,
                    ", %,d rows, %,d texts, %,d pairs",
                    evaluation.rows(),
                    evaluation.texts(),
                    evaluation.accuracy().pairs()));
    page.cards(cards());
    page.charts(charts().all());
    disagreements(page);
    return page.end(run, json);
  }

  private List<Page.Card> cards() {
    List<Page.Card> cards = new ArrayList<>();
    cards.add(
        new Page.Card(
            "Accuracy",
            percent(evaluation.accuracy().wilson().value()),
            range(evaluation.accuracy().byPrompt()) + ", 95 %, by prompt"));
    evaluation
        .benchmark()
        .ifPresent(
            benchmark ->
                cards.add(
                    new Page.Card(
                        benchmark.name(), percent(benchmark.score()), "by its own rule")));
    evaluation
        .agreement()
        .ifPresent(
            agreement ->
                cards.add(
                    new Page.Card(
                        "Same side as the reference",
                        percent(agreement.sameSide().value()),
                        String.format(
                            Locale.ROOT,
                            "rewards differ by %.3f in the mean",
                            agreement.meanDifference()))));
    if (evaluation.ranks().rows() > 0) {
      cards.add(
          new Page.Card(
              "Best of the row",
              percent(evaluation.ranks().top1().value()),
              String.format(Locale.ROOT, "mean Kendall τ %.3f", evaluation.ranks().tau())));
    }
    cards.add(
        new Page.Card(
            "Calibration error",
            percent(evaluation.calibration().error()),
            String.format(
                Locale.ROOT,
                "temperature %.2f fits best",
                evaluation.calibration().temperature())));
    cards.add(
        new Page.Card(
            "Ties, cut texts",
            String.format(
                Locale.ROOT, "%,d, %,d", evaluation.accuracy().ties(), evaluation.truncated()),
            "equal rewards count as half"));
    return cards;
  }

  private EvaluationCharts charts() {
    int pairs = (int) evaluation.accuracy().pairs();
    double[] margins = new double[pairs];
    double[] preferred = new double[pairs];
    double[] others = new double[pairs];
    int i = 0;
    for (Judged row : rows) {
      for (Preference pair : row.preferences()) {
        preferred[i] = row.candidates().get(pair.better()).reward();
        others[i] = row.candidates().get(pair.worse()).reward();
        margins[i] = preferred[i] - others[i];
        i++;
      }
    }
    return new EvaluationCharts(evaluation, margins, preferred, others);
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  private static String range(Interval interval) {
    return Double.isNaN(interval.low())
        ? "–"
        : String.format(Locale.ROOT, "%.1f – %.1f", 100 * interval.low(), 100 * interval.high());
  }

  private void disagreements(Page page) {
    if (worst.isEmpty()) {
      return;
    }
    page.add("<section><h2>The worst disagreements</h2>");
    for (Disagreement pair : worst) {
      page.add("<article><h3>" + Html.escaped(pair.place()) + "</h3><pre>");
      page.add(Html.escaped(pair.prompt()) + "</pre><div class=\"pair\">");
      page.add(side("People prefer", pair.preferred(), pair.rewards().get(0)));
      page.add(side("The model prefers", pair.other(), pair.rewards().get(1)));
      page.add("</div></article>");
    }
    page.add("</section>");
  }

  private static String side(String title, String text, double reward) {
    return String.format(Locale.ROOT, "<div><h4>%s<span>%+.3f</span></h4><pre>", title, reward)
        + Html.escaped(text)
        + "</pre></div>";
  }
}
