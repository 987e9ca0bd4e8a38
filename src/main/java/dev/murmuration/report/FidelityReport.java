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
    charts.add(
        new Chart(
            "Another best response",
            "In how many rows another response has the highest reward.",
            Chart.bars(
                compared().stream()
                    .map(
                        one ->
                            new Chart.Bar(
                                name(one.label()), one.fidelity().orElseThrow().topChanged(), ""))
                    .toList(),
                false)));
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
      charts.add(byMargin(name(one.label()), one.fidelity().orElseThrow()));
    }
    return charts;
  }

  private static Chart byMargin(String name, Fidelity fidelity) {
    double most =
        fidelity.byMargin().stream()
            .mapToDouble(share -> share.flipped().high())
            .filter(Double::isFinite)
            .max()
            .orElse(1);
    int count = fidelity.byMargin().size();
    Svg svg = new Svg("Flipped pairs by margin", 0, count, 0, most);
    for (int i = 0; i <= 4; i++) {
      svg.rule(most * i / 4, String.format(Locale.ROOT, "%.1f %%", 100 * most * i / 4));
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
