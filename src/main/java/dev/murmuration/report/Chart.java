package dev.murmuration.report;

import dev.murmuration.evaluation.Interval;
import java.util.List;
import java.util.Locale;

/**
 * A chart on a page.
 *
 * @param title what it is called
 * @param reading how it is read, as HTML
 * @param content its SVG or HTML
 */
record Chart(String title, String reading, String content) {
  /**
   * A bar of a bar chart.
   *
   * @param label what it stands for
   * @param share its length, 0 to 1, and an interval
   * @param note shown when it is pointed at
   */
  record Bar(String label, Interval share, String note) {}

  /**
   * Horizontal bars.
   *
   * @param middle whether there is a mark in the middle, for guessing
   */
  static String bars(List<Bar> bars, boolean middle) {
    return bars(bars, middle, 1);
  }

  /**
   * Horizontal bars of small shares.
   *
   * @param most the share that is as long as there is room
   */
  static String bars(List<Bar> bars, double most) {
    return bars(bars, false, most);
  }

  private static String bars(List<Bar> bars, boolean middle, double most) {
    StringBuilder rows =
        new StringBuilder("<div class=\"bars").append(middle ? " middle" : "").append("\">");
    bars.forEach(bar -> rows.append(row(bar, most)));
    return rows.append("</div>").toString();
  }

  private static String row(Bar bar, double most) {
    Interval share = bar.share();
    String interval =
        Double.isNaN(share.low())
            ? ""
            : String.format(
                Locale.ROOT,
                "<i style=\"left:%.2f%%;width:%.2f%%\"></i>",
                100 * share.low() / most,
                100 * (share.high() - share.low()) / most);
    return String.format(
        Locale.ROOT,
        "<span class=\"name\" title=\"%s\">%s</span><span class=\"track\"><b"
            + " style=\"width:%.2f%%\"></b>%s</span><span class=\"value\">%."
            + (most < 1 ? 2 : 1)
            + "f&nbsp;%%</span>",
        Html.escaped(bar.note()),
        Html.escaped(bar.label()),
        100 * share.value() / most,
        interval,
        100 * share.value());
  }

  /** RM-Bench's matrix: how often each style of a chosen response beats each of a rejected one. */
  static Chart heatMap(List<List<Double>> matrix) {
    List<String> styles = List.of("concise", "detailed", "Markdown");
    StringBuilder cells = new StringBuilder("<table class=\"heat\"><tr><td></td>");
    styles.forEach(style -> cells.append("<th>rejected ").append(style).append("</th>"));
    for (int i = 0; i < matrix.size(); i++) {
      cells.append("</tr><tr><th>chosen ").append(styles.get(i)).append("</th>");
      for (double share : matrix.get(i)) {
        cells.append(
            String.format(
                Locale.ROOT,
                "<td class=\"h%d\">%.1f&nbsp;%%</td>",
                Math.round(10 * share),
                100 * share));
      }
    }
    return new Chart(
        "Style against substance",
        "How often a chosen response of the row's style beats a rejected one of the column's."
            + " Upper right is hard: the better response is the plainer one.",
        cells.append("</tr></table>").toString());
  }
}
