package dev.murmuration.report;

import dev.murmuration.dataset.Preference;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.Interval;
import dev.murmuration.evaluation.Judged;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
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
    StringBuilder page = new StringBuilder();
    page.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .append("<title>")
        .append(Html.escaped(model + " on " + data))
        .append("</title><style>")
        .append(style())
        .append("</style></head><body><main>");
    head(page);
    page.append("<section class=\"charts\">");
    for (EvaluationCharts.Chart chart : charts().all()) {
      page.append("<figure><figcaption><h2>")
          .append(Html.escaped(chart.title()))
          .append("</h2><p>")
          .append(chart.reading())
          .append("</p></figcaption>")
          .append(chart.content())
          .append("</figure>");
    }
    page.append("</section>");
    disagreements(page);
    run(page);
    page.append("<script type=\"application/json\" id=\"numbers\">")
        .append(Html.json(json))
        .append("</script></main></body></html>\n");
    return page.toString();
  }

  private static String style() throws IOException {
    try (InputStream in = EvaluationReport.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
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

  private void head(StringBuilder page) {
    page.append("<header><p class=\"over\">Reward model evaluation</p><h1>")
        .append(Html.escaped(model))
        .append("</h1><p>")
        .append(Html.escaped(data))
        .append(
            String.format(
                Locale.ROOT,
                ", %,d rows, %,d texts, %,d pairs</p></header><section class=\"cards\">",
                evaluation.rows(),
                evaluation.texts(),
                evaluation.accuracy().pairs()));
    card(
        page,
        "Accuracy",
        percent(evaluation.accuracy().wilson().value()),
        range(evaluation.accuracy().byPrompt()) + ", 95 %, by prompt");
    evaluation
        .benchmark()
        .ifPresent(
            benchmark ->
                card(page, benchmark.name(), percent(benchmark.score()), "by its own rule"));
    if (evaluation.ranks().rows() > 0) {
      card(
          page,
          "Best of the row",
          percent(evaluation.ranks().top1().value()),
          String.format(Locale.ROOT, "mean Kendall τ %.3f", evaluation.ranks().tau()));
    }
    card(
        page,
        "Calibration error",
        percent(evaluation.calibration().error()),
        String.format(
            Locale.ROOT, "temperature %.2f fits best", evaluation.calibration().temperature()));
    card(
        page,
        "Ties, cut texts",
        String.format(
            Locale.ROOT, "%,d, %,d", evaluation.accuracy().ties(), evaluation.truncated()),
        "equal rewards count as half");
    page.append("</section>");
  }

  private static void card(StringBuilder page, String title, String value, String note) {
    page.append("<div><h3>")
        .append(Html.escaped(title))
        .append("</h3><strong>")
        .append(Html.escaped(value))
        .append("</strong><small>")
        .append(Html.escaped(note))
        .append("</small></div>");
  }

  private static String percent(double share) {
    return Double.isNaN(share) ? "–" : String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  private static String range(Interval interval) {
    return Double.isNaN(interval.low())
        ? "–"
        : String.format(Locale.ROOT, "%.1f – %.1f", 100 * interval.low(), 100 * interval.high());
  }

  private void disagreements(StringBuilder page) {
    if (worst.isEmpty()) {
      return;
    }
    page.append("<section><h2>The worst disagreements</h2>");
    for (Disagreement pair : worst) {
      page.append("<article><h3>")
          .append(Html.escaped(pair.place()))
          .append("</h3><pre>")
          .append(Html.escaped(pair.prompt()))
          .append("</pre><div class=\"pair\">");
      side(page, "People prefer", pair.preferred(), pair.rewards().get(0));
      side(page, "The model prefers", pair.other(), pair.rewards().get(1));
      page.append("</div></article>");
    }
    page.append("</section>");
  }

  private static void side(StringBuilder page, String title, String text, double reward) {
    page.append("<div><h4>")
        .append(title)
        .append(String.format(Locale.ROOT, "<span>%+.3f</span></h4><pre>", reward))
        .append(Html.escaped(text))
        .append("</pre></div>");
  }

  private void run(StringBuilder page) {
    page.append("<section><h2>How it was run</h2><dl>");
    run.forEach(
        (name, value) ->
            page.append("<dt>")
                .append(Html.escaped(name))
                .append("</dt><dd>")
                .append(Html.escaped(value))
                .append("</dd>"));
    page.append(
        "</dl><p>Every number of this page is in it as JSON: "
            + "<code>document.getElementById(\"numbers\").textContent</code>.</p></section>");
  }
}
