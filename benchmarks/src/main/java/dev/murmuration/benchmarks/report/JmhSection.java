package dev.murmuration.benchmarks.report;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.benchmarks.Environment;
import dev.murmuration.benchmarks.report.BarChart.Bar;
import dev.murmuration.benchmarks.report.BarChart.Group;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** JMH's benchmarks: a table for each class, and charts where a curve says more. */
final class JmhSection {
  private final Environment environment;
  private final Map<String, List<Row>> rows = new LinkedHashMap<>();

  /**
   * A benchmark with its parameters.
   *
   * @param error half the width of the 99.9 % confidence interval; NaN for too few iterations
   */
  private record Row(
      String method, Map<String, String> parameters, double score, double error, String unit) {
    /** The parameters but the model. */
    String settings() {
      return parameters.entrySet().stream()
          .filter(each -> !each.getKey().equals("model"))
          .map(each -> each.getKey() + " " + each.getValue())
          .collect(Collectors.joining(", "));
    }

    String model() {
      return parameters.getOrDefault("model", "");
    }

    String label() {
      return settings().isEmpty() ? method : method + ", " + settings();
    }

    String time() {
      String format = score < 10 ? "%.3f" : score < 1000 ? "%.1f" : "%.0f";
      String text = String.format(Locale.ROOT, format, score);
      return Double.isNaN(error) ? text : text + " ± " + String.format(Locale.ROOT, format, error);
    }
  }

  JmhSection(Environment environment, JsonNode results) {
    this.environment = environment;
    for (JsonNode result : results) {
      String[] names = result.get("benchmark").asText().split("\\.");
      Map<String, String> parameters = new LinkedHashMap<>();
      result
          .path("params")
          .properties()
          .forEach(each -> parameters.put(each.getKey(), each.getValue().asText()));
      JsonNode metric = result.get("primaryMetric");
      rows.computeIfAbsent(names[names.length - 2], name -> new ArrayList<>())
          .add(
              new Row(
                  names[names.length - 1],
                  parameters,
                  metric.get("score").asDouble(),
                  // JMH writes "NaN" as a string.
                  metric.get("scoreError").asDouble(Double.NaN),
                  metric.get("scoreUnit").asText()));
    }
  }

  void write(StringBuilder page, Map<String, BarChart> charts) {
    page.append("\n## Benchmarks\n");
    Report.environment(page, environment);
    page.append(
        "\nWhat each class asks and what its baseline is, says the table in `README.md`.\n");
    rows.forEach(
        (name, all) -> {
          page.append("\n### ").append(name).append('\n');
          String models =
              all.stream()
                  .map(Row::model)
                  .filter(m -> !m.isEmpty())
                  .distinct()
                  .collect(Collectors.joining(", "));
          if (!models.isEmpty()) {
            page.append("\nModel: ").append(models).append(".\n");
          }
          if (name.equals("SingleScore") || name.equals("Concurrency")) {
            chart(page, charts, name, all);
          }
          table(page, all);
        });
  }

  /** A line for each setting, a column for each method. */
  private static void table(StringBuilder page, List<Row> all) {
    List<String> methods = all.stream().map(Row::method).distinct().toList();
    page.append("\n| ").append(all.getFirst().unit()).append(" |");
    methods.forEach(method -> page.append(" ").append(method).append(" |"));
    page.append("\n|---|").append("---|".repeat(methods.size())).append("\n");
    for (String settings : all.stream().map(Row::settings).distinct().toList()) {
      page.append("| ").append(settings).append(" |");
      for (String method : methods) {
        String cell =
            all.stream()
                .filter(row -> row.method().equals(method) && row.settings().equals(settings))
                .map(Row::time)
                .findFirst()
                .orElse("");
        page.append(" ").append(cell).append(" |");
      }
      page.append("\n");
    }
  }

  private static void chart(
      StringBuilder page, Map<String, BarChart> charts, String name, List<Row> all) {
    Map<String, List<Bar>> groups = new LinkedHashMap<>();
    for (Row row : all) {
      boolean single = name.equals("SingleScore");
      groups
          .computeIfAbsent(single ? row.settings() : "", settings -> new ArrayList<>())
          .add(
              new Bar(
                  single ? row.method() : row.label(),
                  row.score(),
                  row.time(),
                  row.method().equals("score") || row.method().equals("concurrent")));
    }
    Report.chart(
        page,
        charts,
        name,
        new BarChart(
            name + ", " + all.getFirst().unit() + " (shorter is better)",
            groups.entrySet().stream().map(e -> new Group(e.getKey(), e.getValue())).toList()));
  }
}
