package dev.murmuration.report;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;

/** A page in the making: what all pages have in common. */
final class Page {
  private final StringBuilder html = new StringBuilder();

  /**
   * Begins a page.
   *
   * @param over what kind of page it is
   * @param title what it is about
   * @param subtitle of which data
   */
  Page(String over, String title, String subtitle) throws IOException {
    html.append("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">")
        .append("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">")
        .append("<link rel=\"icon\" href=\"data:,\"><title>")
        .append(Html.escaped(title + ", " + subtitle))
        .append("</title><style>")
        .append(style())
        .append("</style></head><body><main><header><p class=\"over\">")
        .append(Html.escaped(over))
        .append("</p><h1>")
        .append(Html.escaped(title))
        .append("</h1><p>")
        .append(Html.escaped(subtitle))
        .append("</p></header>");
  }

  private static String style() throws IOException {
    try (InputStream in = Page.class.getResourceAsStream("report.css")) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  /**
   * A figure in large type.
   *
   * @param note a line below it
   */
  record Card(String title, String value, String note) {}

  void cards(List<Card> cards) {
    html.append("<section class=\"cards\">");
    for (Card card : cards) {
      html.append("<div><h3>")
          .append(Html.escaped(card.title()))
          .append("</h3><strong>")
          .append(Html.escaped(card.value()))
          .append("</strong><small>")
          .append(Html.escaped(card.note()))
          .append("</small></div>");
    }
    html.append("</section>");
  }

  void charts(List<Chart> charts) {
    html.append("<section class=\"charts\">");
    for (Chart chart : charts) {
      html.append("<figure><figcaption><h2>")
          .append(Html.escaped(chart.title()))
          .append("</h2><p>")
          .append(chart.reading())
          .append("</p></figcaption>")
          .append(chart.content())
          .append("</figure>");
    }
    html.append("</section>");
  }

  /** Adds HTML. */
  void add(String more) {
    html.append(more);
  }

  /**
   * Ends the page.
   *
   * @param run how it was run, by name
   * @param json all numbers
   * @return the HTML
   */
  String end(Map<String, String> run, String json) {
    html.append("<section><h2>How it was run</h2><dl>");
    run.forEach(
        (name, value) ->
            html.append("<dt>")
                .append(Html.escaped(name))
                .append("</dt><dd>")
                .append(Html.escaped(value))
                .append("</dd>"));
    html.append(
        "</dl><p>Every number of this page is in it as JSON: "
            + "<code>document.getElementById(\"numbers\").textContent</code>.</p></section>");
    html.append("<script type=\"application/json\" id=\"numbers\">")
        .append(Html.json(json))
        .append("</script></main></body></html>\n");
    return html.toString();
  }
}
