package dev.murmuration.report;

import dev.murmuration.evaluation.Fidelity;
import dev.murmuration.evaluation.FidelityRun;
import dev.murmuration.evaluation.Interval;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;

/**
 * What quantization or precision does to preferences, as a page.
 *
 * @param data that was scored
 * @param runs the reference first, then the reference in another order, then the candidates
 * @param run how it was run, by name
 * @param json all numbers
 */
public record FidelityReport(
    String data, List<FidelityRun> runs, Map<String, String> run, String json) {

  /** The page. */
  public String html() throws IOException {
    FidelityRun reference = runs.getFirst();
    Page page = new Page("Fidelity of preferences", name(reference.label()), data);
    List<Page.Card> cards = new ArrayList<>();
    for (FidelityRun other : compared()) {
      Fidelity fidelity = other.fidelity().orElseThrow();
      cards.add(
          new Page.Card(
              name(other.label()),
              String.format(Locale.ROOT, "%.2f %%", 100 * fidelity.flipped().value()),
              String.format(
                  Locale.ROOT,
                  "of %,d pairs flipped; %.1f MiB; %.0f texts/s",
                  fidelity.pairs(),
                  other.bytes() / 1048576.0,
                  other.texts() / other.seconds())));
    }
    page.cards(cards);
    page.add(table());
    page.charts(charts());
    return page.end(run, json);
  }

  private List<FidelityRun> compared() {
    return runs.stream().filter(one -> one.fidelity().isPresent()).toList();
  }

  private static String name(String label) {
    return label.substring(label.lastIndexOf('/') + 1);
  }

  private List<Chart> charts() {
    List<Chart> charts = new ArrayList<>();
    if (compared().stream().allMatch(one -> one.fidelity().orElseThrow().pairs() > 0)) {
      charts.add(
          small(
              "Flipped pairs",
              "How many pairs of responses to one prompt are in another order than the"
                  + " reference's; the line is the 95 % interval.",
              Fidelity::flipped));
      charts.add(
          small(
              "Another best response",
              "In how many rows another response has the highest reward.",
              Fidelity::topChanged));
    }
    List<Chart.Bar> accuracies = new ArrayList<>();
    for (FidelityRun one : runs) {
      Optional<Interval> accuracy = one.accuracy().map(found -> found.wilson());
      accuracy.ifPresent(share -> accuracies.add(new Chart.Bar(name(one.label()), share, "")));
    }
    if (!accuracies.isEmpty()) {
      charts.add(
          new Chart(
              "Accuracy",
              "How often each run agrees with what people prefer; the line is the 95 % interval.",
              Chart.bars(accuracies, true)));
    }
    for (FidelityRun one : compared()) {
      if (one.fidelity().orElseThrow().flipped().value() > 0) {
        charts.add(byMargin(name(one.label()), one.fidelity().orElseThrow()));
      }
    }
    return charts;
  }

  /** Bars that fill their room, since what they show should be near 0. */
  private Chart small(String title, String reading, Function<Fidelity, Interval> value) {
    List<Chart.Bar> bars =
        compared().stream()
            .map(
                one ->
                    new Chart.Bar(name(one.label()), value.apply(one.fidelity().orElseThrow()), ""))
            .toList();
    double most = bars.stream().mapToDouble(bar -> bar.share().high()).max().orElse(1);
    return new Chart(title, reading, Chart.bars(bars, Math.clamp(1.1 * most, 1e-6, 1)));
  }

  /** Every run in a line, its size and speed beside what became of the preferences. */
  private String table() {
    StringBuilder rows =
        new StringBuilder("<section class=\"wide\"><table class=\"numbers\"><tr><th></th>");
    for (String title :
        List.of(
            "MiB",
            "texts/s",
            "flipped",
            "other best",
            "Kendall τ",
            "Spearman",
            "regret",
            "drift",
            "deviation",
            "tie below")) {
      rows.append("<th>").append(title).append("</th>");
    }
    for (FidelityRun one : runs) {
      rows.append(
          String.format(
              Locale.ROOT,
              "</tr><tr><th>%s</th><td>%.1f</td><td>%,.0f</td>",
              Html.escaped(name(one.label())),
              one.bytes() / 1048576.0,
              one.texts() / one.seconds()));
      rows.append(one.fidelity().map(FidelityReport::cells).orElse("<td>–</td>".repeat(8)));
    }
    return rows
        + "</tr></table><p>Regret: how much less the reference gives to the response that a run"
        + " takes for the best. Drift and deviation: mean and root mean square of what rewards"
        + " change by. Tie below: a preference by less may be the other way round (95 %).</p>"
        + "</section>";
  }

  private static String cells(Fidelity fidelity) {
    return String.format(
        Locale.ROOT,
        "<td>%.2f&nbsp;%%</td><td>%.2f&nbsp;%%</td><td>%.4f</td><td>%.5f</td><td>%.4f</td>"
            + "<td>%+.4f</td><td>%.4f</td><td>%.3f</td>",
        100 * fidelity.flipped().value(),
        100 * fidelity.topChanged().value(),
        fidelity.tau(),
        fidelity.spearman(),
        fidelity.regret(),
        fidelity.drift(),
        fidelity.rms(),
        fidelity.tieMargin());
  }

  private static Chart byMargin(String name, Fidelity fidelity) {
    double most =
        fidelity.byMargin().stream()
            .mapToDouble(share -> share.flipped().high())
            .filter(Double::isFinite)
            .max()
            .orElse(1);
    int count = fidelity.byMargin().size();
    String percent = most > 0.1 ? "%.0f %%" : "%.1f %%";
    Svg svg = new Svg("Flipped pairs by margin", 0, count, 0, most);
    for (int i = 0; i <= 4; i++) {
      svg.rule(most * i / 4, String.format(Locale.ROOT, percent, 100 * most * i / 4));
    }
    for (int i = 0; i < count; i++) {
      Fidelity.MarginShare share = fidelity.byMargin().get(i);
      svg.bar(
          "bad",
          i + 0.1,
          i + 0.9,
          0,
          share.flipped().value(),
          String.format(
              Locale.ROOT,
              "%.2f to %.2f: %.2f %%",
              share.from(),
              share.to(),
              100 * share.flipped().value()));
      svg.whisker(i + 0.5, share.flipped().low(), share.flipped().high());
      if (i % 2 == 0) {
        svg.tick(i + 0.5, String.format(Locale.ROOT, "%.2f", share.from()));
      }
    }
    svg.caption("margin in the reference, a tenth of the pairs each");
    return new Chart(
        name,
        String.format(
            Locale.ROOT,
            "Pairs in another order, by how far apart the reference puts them. A preference by less"
                + " than %.3f may be the other way round (95 %%); rewards spread by %.2f. Kendall τ"
                + " %.4f, regret %.4f.",
            fidelity.tieMargin(),
            fidelity.spread(),
            fidelity.tau(),
            fidelity.regret()),
        svg.toString());
  }
}
