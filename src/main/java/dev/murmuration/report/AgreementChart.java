package dev.murmuration.report;

import dev.murmuration.evaluation.Agreement;
import java.util.Locale;

/** Margins beside those of another program, a pair a dot. */
final class AgreementChart {
  private static final int MOST_DOTS = 3000;

  private AgreementChart() {}

  static Chart of(Agreement found) {
    double most = 0.1;
    for (double[] pair : found.margins()) {
      most = Math.max(most, Math.max(Math.abs(pair[0]), Math.abs(pair[1])));
    }
    Svg svg = new Svg("Margins beside the reference's", -most, most, -most, most);
    for (double y : new double[] {-most, 0, most}) {
      svg.rule(y, String.format(Locale.ROOT, "%.1f", y));
      svg.tick(y, String.format(Locale.ROOT, "%.1f", y));
    }
    svg.line("diagonal", new double[] {-most, most}, new double[] {-most, most});
    found.margins().stream()
        .limit(MOST_DOTS)
        .forEach(
            pair ->
                svg.dot(
                    pair[0] * pair[1] > 0 ? "dot faint" : "dot other",
                    pair[1],
                    pair[0],
                    2.5,
                    String.format(Locale.ROOT, "%.3f here, %.3f there", pair[0], pair[1])));
    svg.caption("margin by the reference; upright: by this model");
    return new Chart(
        "Agreement with the reference",
        String.format(
            Locale.ROOT,
            "A pair a dot; on the line both give the same margin. Correlation %.4f; the same side"
                + " in %.1f %% of %,d pairs.",
            found.marginCorrelation(),
            100 * found.sameSide().value(),
            found.pairs()),
        svg.toString());
  }
}
