package dev.murmuration.benchmarks.report;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.benchmarks.Environment;
import dev.murmuration.benchmarks.comparison.Results;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;

/**
 * Turns the JSON files of the comparison and of JMH into {@code RESULTS.md} and its charts. Takes
 * every figure from them; what was not measured is not there.
 */
public final class Report {
  private static final String HEAD =
      """
      # Results

      Written by `Report` from what the command in `README.md` measured; not edited by hand. All models have random weights:
      they are for speed. Ratios are between figures of one run.
      """;

  private static final String KERNELS =
      """

      ## Products and attention apart

      By `murmur-kernels-bench`, in turns with llama.cpp's kernels (in its own layout of the weights where it has one), medians.
      The work includes quantizing rows and unpacking weights, which come from memory. The peak is the one instruction alone, on
      as many threads; for a cache of float16 bfloat16's.

      """;

  private static final String GPU =
      """

      ## On a GPU

      By `gpu/run.sh`, on another machine than the rest: the same random weights in all three programs.

      """;

  private Report() {}

  /** {@code Report FOLDER-WITH-JSON TARGET-FOLDER}. */
  public static void main(String[] args) throws IOException {
    Path source = Path.of(args[0]);
    Path target = Path.of(args[1]);
    StringBuilder page = new StringBuilder(HEAD);
    Map<String, BarChart> charts = new TreeMap<>();
    Path comparison = source.resolve("comparison.json");
    if (Files.exists(comparison)) {
      new ComparisonSection(Results.read(comparison)).write(page, charts);
    }
    Path types = source.resolve("types.json");
    if (Files.exists(types)) {
      new TypesSection(Results.ByType.read(types)).write(page, charts);
    }
    Path kernels = source.resolve("kernels.md");
    if (Files.exists(kernels)) {
      page.append(KERNELS).append(Files.readString(kernels));
    }
    Path jmh = source.resolve("jmh.json");
    if (Files.exists(jmh)) {
      ObjectMapper json = new ObjectMapper();
      Environment environment =
          json.readValue(source.resolve("environment.json").toFile(), Environment.class);
      new JmhSection(environment, json.readTree(jmh.toFile())).write(page, charts);
    }
    Path gpu = target.resolve("gpu").resolve("table.md");
    if (Files.exists(gpu)) {
      page.append(GPU).append(Files.readString(gpu));
    }
    if (page.length() == HEAD.length()) {
      throw new IOException(
          source
              + " holds no comparison.json, types.json, kernels.md or jmh.json, and there is no "
              + gpu);
    }
    Path folder = target.resolve("charts");
    Files.createDirectories(folder);
    for (Map.Entry<String, BarChart> chart : charts.entrySet()) {
      Files.writeString(folder.resolve(chart.getKey() + ".svg"), chart.getValue().svg());
    }
    Files.writeString(target.resolve("RESULTS.md"), page);
    System.err.println("written: " + target.resolve("RESULTS.md"));
  }

  static void environment(StringBuilder page, Environment environment) {
    page.append("\n| | |\n|---|---|\n");
    page.append("| date | ").append(environment.date()).append(" |\n");
    page.append("| machine | ").append(environment.machine()).append(" |\n");
    page.append("| build | ")
        .append(environment.build())
        .append("; commit ")
        .append(environment.commit())
        .append("; ")
        // It separates what it lists by the character that separates cells.
        .append(
            environment
                .instructions()
                .replaceAll("\\s*\\|\\s*", ", ")
                .replaceAll(", $", "")
                .replaceFirst("^CPU : ", ""))
        .append(" |\n");
    page.append(
        String.format(
            "| load before | %.1f of %d |%n", environment.load(), environment.processors()));
  }

  static void chart(StringBuilder page, Map<String, BarChart> charts, String name, BarChart chart) {
    charts.put(name, chart);
    page.append("\n![").append(chart.title()).append("](charts/").append(name).append(".svg)\n");
  }
}
