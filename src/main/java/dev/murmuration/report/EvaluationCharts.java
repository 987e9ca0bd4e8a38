package dev.murmuration.report;

import dev.murmuration.evaluation.Accuracy;
import dev.murmuration.evaluation.Bias;
import dev.murmuration.evaluation.Calibration;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.Interval;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** The charts of an evaluation, each with a title and a sentence that says how to read it. */
final class EvaluationCharts {
  private static final int MOST_GROUPS = 24;

  private final Evaluation evaluation;
  private final double[] margins;
  private final double[] preferred;
  private final double[] others;

  /**
   * @param margins of all pairs
   * @param preferred rewards of the preferred response of each pair
   * @param others rewards of the other one
   */
  EvaluationCharts(Evaluation evaluation, double[] margins, double[] preferred, double[] others) {
    this.evaluation = evaluation;
    this.margins = margins;
    this.preferred = preferred;
    this.others = others;
  }

  List<Chart> all() {
    List<Chart> charts = new ArrayList<>();
    evaluation.groups().forEach((column, values) -> charts.add(groups(column, values)));
    evaluation
        .benchmark()
        .ifPresent(
            benchmark -> {
              charts.add(shares(benchmark.name(), benchmark.rule(), benchmark.parts()));
              if (!benchmark.matrix().isEmpty()) {
                charts.add(Chart.heatMap(benchmark.matrix()));
              }
            });
    evaluation.agreement().ifPresent(agreement -> charts.add(AgreementChart.of(agreement)));
    charts.add(marginHistogram());
    charts.add(rewards());
    charts.add(reliability());
    charts.add(coverage());
    charts.add(temperature());
    if (evaluation.ranks().rows() > 0) {
      charts.add(bestOf());
    }
    charts.add(byLength());
    markdown(charts);
    return charts;
  }

  // ---- accuracy ----

  private static Chart groups(String column, Map<String, Accuracy> values) {
    List<Chart.Bar> bars =
        values.entrySet().stream()
            .limit(MOST_GROUPS)
            .map(
                entry ->
                    new Chart.Bar(
                        entry.getKey(),
                        entry.getValue().wilson(),
                        String.format(Locale.ROOT, "%,d pairs", entry.getValue().pairs())))
            .toList();
    return new Chart(
        "Accuracy by " + column,
        "How often the preferred response of a pair has the higher reward; the line is the 95 %"
            + " interval, the mark in the middle is guessing."
            + (values.size() > MOST_GROUPS
                ? " The first " + MOST_GROUPS + " of " + values.size() + "."
                : ""),
        Chart.bars(bars, true));
  }

  private static Chart shares(String name, String rule, Map<String, Double> parts) {
    List<Chart.Bar> bars =
        parts.entrySet().stream()
            .map(part -> new Chart.Bar(part.getKey(), Interval.of(part.getValue()), ""))
            .toList();
    return new Chart(name, Html.escaped(rule), Chart.bars(bars, true));
  }

  // ---- margins ----

  private Chart marginHistogram() {
    Evaluation.Margins found = evaluation.margins();
    long most = found.histogram().stream().mapToLong(Long::longValue).max().orElse(1);
    Svg svg = new Svg("Histogram of margins", found.least(), found.most(), 0, most);
    double width = (found.most() - found.least()) / found.histogram().size();
    rules(svg, (double) most);
    for (int i = 0; i < found.histogram().size(); i++) {
      double from = found.least() + i * width;
      svg.bar(
          from + width / 2 < 0 ? "bad" : "good",
          from,
          from + width,
          0,
          found.histogram().get(i),
          String.format(
              Locale.ROOT,
              "%.2f to %.2f: %,d pairs",
              from,
              from + width,
              found.histogram().get(i)));
    }
    ticks(svg, found.least(), found.most(), "%.1f");
    svg.caption("reward of the preferred response less that of the other");
    return new Chart(
        "Margins",
        String.format(
            Locale.ROOT,
            "Left of 0 the model disagrees with people. Mean %.2f, median %.2f.",
            found.mean(),
            found.median()),
        svg.toString());
  }

  private static void rules(Svg svg, double most) {
    for (int i = 0; i <= 4; i++) {
      svg.rule(most * i / 4, String.format(Locale.ROOT, "%,.0f", most * i / 4));
    }
  }

  private static void ticks(Svg svg, double least, double most, String format) {
    for (int i = 0; i <= 4; i++) {
      double value = least + (most - least) * i / 4;
      svg.tick(value, String.format(Locale.ROOT, format, value));
    }
  }

  private Chart rewards() {
    double least = Math.min(min(preferred), min(others));
    double most = Math.max(max(preferred), max(others));
    int bins = 48;
    double[] first = histogram(preferred, least, most, bins);
    double[] second = histogram(others, least, most, bins);
    Svg svg = new Svg("Rewards of both kinds", least, most, 0, Math.max(max(first), max(second)));
    double[] xs = new double[bins];
    for (int i = 0; i < bins; i++) {
      xs[i] = least + (most - least) * (i + 0.5) / bins;
    }
    for (int i = 0; i <= 4; i++) {
      double share = Math.max(max(first), max(second)) * i / 4;
      svg.rule(share, String.format(Locale.ROOT, "%.0f %%", 100 * share));
    }
    svg.line("line bad", xs, second);
    svg.line("line good", xs, first);
    ticks(svg, least, most, "%.1f");
    svg.caption("reward");
    return new Chart(
        "Rewards",
        "<span class=\"key good\"></span>preferred responses, <span class=\"key bad\"></span>the"
            + " others. Levels differ from prompt to prompt, so the two may overlap even where"
            + " every pair is right.",
        svg.toString());
  }

  private static double min(double[] values) {
    return Arrays.stream(values).min().orElse(0);
  }

  private static double max(double[] values) {
    return Arrays.stream(values).max().orElse(0);
  }

  private static double[] histogram(double[] values, double least, double most, int bins) {
    double[] shares = new double[bins];
    for (double value : values) {
      int bin = (int) ((value - least) / Math.max(1e-12, most - least) * bins);
      shares[Math.min(bins - 1, bin)] += 1.0 / values.length;
    }
    return shares;
  }

  // ---- calibration ----

  private Chart reliability() {
    Svg svg = new Svg("Reliability", 0.5, 1, 0, 1);
    percentRules(svg);
    svg.line("diagonal", new double[] {0.5, 1}, new double[] {0.5, 1});
    for (Calibration.Bin bin : evaluation.calibration().bins()) {
      if (bin.pairs() > 0) {
        svg.whisker(bin.predicted(), bin.observed().low(), bin.observed().high());
        svg.dot(
            "dot",
            bin.predicted(),
            bin.observed().value(),
            3 + 6 * Math.sqrt((double) bin.pairs() / margins.length),
            String.format(
                Locale.ROOT,
                "%,d pairs: %.1f %% expected, %.1f %% found",
                bin.pairs(),
                100 * bin.predicted(),
                100 * bin.observed().value()));
      }
    }
    for (int i = 5; i <= 10; i++) {
      svg.tick(i / 10.0, i * 10 + " %");
    }
    svg.caption("Bradley–Terry probability of the one with the higher reward");
    return new Chart(
        "Calibration",
        String.format(
            Locale.ROOT,
            "On the dashed line a probability means what it says; below it the model is too sure."
                + " Expected calibration error %.1f %%, Brier score %.4f, AUC %.4f.",
            100 * evaluation.calibration().error(),
            evaluation.calibration().brier(),
            evaluation.calibration().auc()),
        svg.toString());
  }

  private static void percentRules(Svg svg) {
    for (int i = 0; i <= 4; i++) {
      svg.rule(i / 4.0, i * 25 + " %");
    }
  }

  private Chart coverage() {
    double[] sorted =
        Arrays.stream(margins)
            .boxed()
            .sorted((a, b) -> Double.compare(Math.abs(b), Math.abs(a)))
            .mapToDouble(Double::doubleValue)
            .toArray();
    int points = Math.min(100, sorted.length);
    double[] xs = new double[points];
    double[] ys = new double[points];
    double won = 0;
    int taken = 0;
    for (int i = 0; i < points; i++) {
      int until = (int) ((long) sorted.length * (i + 1) / points);
      for (; taken < until; taken++) {
        won += sorted[taken] > 0 ? 1 : sorted[taken] == 0 ? 0.5 : 0;
      }
      xs[i] = (double) taken / sorted.length;
      ys[i] = won / taken;
    }
    double least = Math.min(0.5, min(ys));
    Svg svg = new Svg("Accuracy of the surest pairs", 0, 1, least, 1);
    for (int i = 0; i <= 4; i++) {
      double share = least + (1 - least) * i / 4;
      svg.rule(share, String.format(Locale.ROOT, "%.0f %%", 100 * share));
    }
    svg.line("line good", xs, ys);
    ticks(svg, 0, 100);
    svg.caption("share of the pairs, the largest margins first");
    return new Chart(
        "When it is sure",
        "Accuracy among the pairs that the model puts farthest apart: what is kept if pairs with"
            + " small margins are thrown away.",
        svg.toString());
  }

  private static void ticks(Svg svg, int least, int most) {
    for (int i = 0; i <= 4; i++) {
      int percent = least + (most - least) * i / 4;
      svg.tick(percent / 100.0, percent + " %");
    }
  }

  private Chart temperature() {
    int points = 81;
    double[] xs = new double[points];
    double[] ys = new double[points];
    for (int i = 0; i < points; i++) {
      xs[i] = (i - 40) / 20.0; // powers of ten, −2 to 2
      double inverse = Math.pow(10, -xs[i]);
      for (double margin : margins) {
        double scaled = margin * inverse;
        ys[i] +=
            (scaled > 0 ? Math.log1p(Math.exp(-scaled)) : Math.log1p(Math.exp(scaled)) - scaled)
                / margins.length;
      }
    }
    double most = Math.min(1.5, max(ys));
    double[] shown = Arrays.stream(ys).map(value -> Math.min(most, value)).toArray();
    Svg svg = new Svg("Log loss over the temperature", -2, 2, 0, most);
    for (int i = 0; i <= 4; i++) {
      svg.rule(most * i / 4, String.format(Locale.ROOT, "%.2f", most * i / 4));
    }
    svg.line("line good", xs, shown);
    svg.line("diagonal", new double[] {-2, 2}, new double[] {Math.log(2), Math.log(2)});
    for (int i = -2; i <= 2; i++) {
      svg.tick(i, i < 0 ? "1/" + (int) Math.pow(10, -i) : String.valueOf((int) Math.pow(10, i)));
    }
    svg.caption("temperature by which rewards are divided");
    return new Chart(
        "Temperature",
        String.format(
            Locale.ROOT,
            "Log loss of the Bradley–Terry probabilities; the dashed line is guessing. It is least"
                + " at %.3g (%.4f); undivided rewards have %.4f.",
            evaluation.calibration().temperature(),
            evaluation.calibration().fitted(),
            evaluation.calibration().logLoss()),
        svg.toString());
  }

  // ---- rows, length, Markdown ----

  private Chart bestOf() {
    List<Double> curve = evaluation.ranks().bestOf();
    double[] xs = new double[curve.size()];
    double[] ys = new double[curve.size()];
    for (int i = 0; i < xs.length; i++) {
      xs[i] = i + 1;
      ys[i] = curve.get(i);
    }
    Svg svg = new Svg("Best of n", 1, Math.max(2, xs.length), 0, 1);
    percentRules(svg);
    svg.line("line good", xs, ys);
    for (int i = 0; i < xs.length; i++) {
      svg.dot("dot", xs[i], ys[i], 4, String.format(Locale.ROOT, "%.1f %%", 100 * ys[i]));
      svg.tick(xs[i], String.valueOf(i + 1));
    }
    svg.caption("n responses, of which the one with the highest reward is taken");
    return new Chart(
        "Best of n",
        "Where people rank the response that is taken: 100 % is the best of its row, 0 % the"
            + " worst.",
        svg.toString());
  }

  private Chart byLength() {
    List<Chart.Bar> bars =
        evaluation.bias().byLength().stream()
            .map(
                share ->
                    new Chart.Bar(
                        String.format(Locale.ROOT, "%+,d to %+,d", share.from(), share.to()),
                        share.accuracy(),
                        "characters"))
            .toList();
    return new Chart(
        "Length",
        String.format(
            Locale.ROOT,
            "Accuracy by how many characters the preferred response is longer. A model that likes"
                + " length is worse at the top. With length taken out of the rewards: %.1f %%;"
                + " correlation of differences %.2f.",
            100 * evaluation.bias().withoutLength(),
            evaluation.bias().length()),
        Chart.bars(bars, true));
  }

  private void markdown(List<Chart> charts) {
    Bias bias = evaluation.bias();
    if (!Double.isNaN(bias.plainer().value()) && !Double.isNaN(bias.richer().value())) {
      charts.add(
          new Chart(
              "Markdown",
              "Accuracy where the preferred response has less Markdown than the other, and where it"
                  + " has more.",
              Chart.bars(
                  List.of(
                      new Chart.Bar("less", bias.plainer(), ""),
                      new Chart.Bar("more", bias.richer(), "")),
                  true)));
    }
  }
}
