package dev.murmuration.benchmarks.report;

import java.util.List;
import java.util.Locale;

/**
 * Horizontal bars in groups, as SVG; readable on a light and on a dark page, which the reader's
 * system decides.
 *
 * @param title what is shown, with its unit
 * @param groups from top to bottom
 */
record BarChart(String title, List<Group> groups) {
  private static final int WIDTH = 760;
  private static final int LABELS = 230;
  private static final int VALUES = 120;
  private static final int BAR = 20;
  private static final int STEP = 26;
  private static final int HEAD = 44;

  private static final String STYLE =
      """
      <style>
        text { font: 13px system-ui, -apple-system, "Segoe UI", "DejaVu Sans", sans-serif; fill: #1f2328; }
        .title { font-size: 15px; font-weight: 600; }
        .group { font-weight: 600; }
        .label { text-anchor: end; }
        .bar { fill: #9aa4af; }
        .ours { fill: #0969da; }
        .axis { stroke: #9aa4af; }
        @media (prefers-color-scheme: dark) {
          text { fill: #e6edf3; }
          .bar { fill: #6e7681; }
          .ours { fill: #4493f8; }
          .axis { stroke: #6e7681; }
        }
      </style>
      """;

  /** Bars that belong together, under a heading that may be empty. */
  record Group(String name, List<Bar> bars) {}

  /**
   * One bar.
   *
   * @param ours whether it stands out
   */
  record Bar(String label, double value, String text, boolean ours) {}

  /** The file's content. */
  String svg() {
    double largest =
        groups.stream()
            .flatMap(group -> group.bars().stream())
            .mapToDouble(Bar::value)
            .max()
            .orElseThrow();
    StringBuilder body = new StringBuilder();
    int y = HEAD;
    for (Group group : groups) {
      if (!group.name().isEmpty()) {
        text(body, "group", 0, y + 14, group.name());
        y += STEP;
      }
      int top = y;
      for (Bar bar : group.bars()) {
        double width = (WIDTH - LABELS - VALUES) * bar.value() / largest;
        text(body, "label", LABELS - 8, y + 15, bar.label());
        body.append(
            String.format(
                Locale.ROOT,
                "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\" rx=\"2\"/>%n",
                bar.ours() ? "ours" : "bar",
                LABELS,
                y,
                Math.max(width, 1),
                BAR));
        text(body, "value", LABELS + (int) Math.ceil(width) + 6, y + 15, bar.text());
        y += STEP;
      }
      body.append(
          String.format(
              "<line class=\"axis\" x1=\"%1$d\" y1=\"%2$d\" x2=\"%1$d\" y2=\"%3$d\"/>%n",
              LABELS, top - 3, y - STEP + BAR + 3));
      y += 8;
    }
    return String.format(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %1$d %2$d\" width=\"%1$d\""
            + " height=\"%2$d\" role=\"img\" aria-label=\"%3$s\">%n%4$s<text class=\"title\""
            + " x=\"0\" y=\"18\">%3$s</text>%n%5$s</svg>%n",
        WIDTH, y, escaped(title), STYLE, body);
  }

  private static void text(StringBuilder body, String kind, int x, int y, String text) {
    body.append(
        String.format(
            "<text class=\"%s\" x=\"%d\" y=\"%d\">%s</text>%n", kind, x, y, escaped(text)));
  }

  private static String escaped(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("\"", "&quot;");
  }
}
