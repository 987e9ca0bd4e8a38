package dev.murmuration.evaluation;

import dev.murmuration.dataset.OptionalLibrary;
import dev.murmuration.dataset.Preference;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.hipparchus.stat.descriptive.DescriptiveStatistics;

/**
 * How good a model is on a data set.
 *
 * @param rows that were judged
 * @param texts that have a reward
 * @param truncated texts that were cut
 * @param accuracy over all pairs
 * @param groups accuracy by the values of each column that rows are reported by
 * @param macro for each of these columns, the mean over its values
 * @param margins of all pairs
 * @param calibration of their probabilities
 * @param ranks of rows with more than two candidates
 * @param bias towards length and Markdown
 * @param benchmark the score by the benchmark's own rules, where the data set is one
 * @param agreement with another program's scores, where they are given
 */
public record Evaluation(
    long rows,
    long texts,
    long truncated,
    Accuracy accuracy,
    Map<String, Map<String, Accuracy>> groups,
    Map<String, Double> macro,
    Margins margins,
    Calibration calibration,
    Ranks ranks,
    Bias bias,
    Optional<Benchmark> benchmark,
    Optional<Agreement> agreement) {

  /**
   * Rewards of preferred responses less those of the others.
   *
   * @param histogram how many lie in each of equal bins from {@code least} to {@code most}
   */
  public record Margins(
      double mean,
      double deviation,
      double least,
      double median,
      double most,
      List<Long> histogram) {
    private static final int BINS = 40;

    static Margins of(double[] margins) {
      DescriptiveStatistics all = new DescriptiveStatistics(margins);
      long[] bins = new long[BINS];
      double width = (all.getMax() - all.getMin()) / BINS;
      for (double margin : margins) {
        bins[width == 0 ? 0 : (int) Math.min(BINS - 1, (margin - all.getMin()) / width)]++;
      }
      return new Margins(
          all.getMean(),
          all.getStandardDeviation(),
          all.getMin(),
          all.getPercentile(50),
          all.getMax(),
          Arrays.stream(bins).boxed().toList());
    }
  }

  /**
   * Looks for the library of statistics, before there are rewards that would be lost without it.
   *
   * @throws NoClassDefFoundError if it is not there
   */
  public static void requireLibrary() {
    OptionalLibrary.require("org.hipparchus.stat.descriptive.DescriptiveStatistics");
  }

  /**
   * Evaluates.
   *
   * @param schema of the data set
   * @param rows with their rewards
   * @throws IllegalArgumentException if no row has a pair of which one is preferred
   */
  public static Evaluation of(String schema, List<Judged> rows) {
    double[] margins =
        rows.stream()
            .flatMapToDouble(row -> row.preferences().stream().mapToDouble(row::margin))
            .toArray();
    if (margins.length == 0) {
      throw new IllegalArgumentException(
          "none of the "
              + rows.size()
              + " rows says which of two responses is preferred, so there is nothing to compare"
              + " with");
    }
    Map<String, Map<String, Accuracy>> groups = groups(rows);
    Map<String, Double> macro = new LinkedHashMap<>();
    groups.forEach(
        (column, values) ->
            macro.put(
                column,
                values.values().stream()
                    .mapToDouble(accuracy -> accuracy.wilson().value())
                    .average()
                    .orElse(Double.NaN)));
    return new Evaluation(
        rows.size(),
        rows.stream().mapToLong(row -> row.candidates().size()).sum(),
        rows.stream()
            .flatMap(row -> row.candidates().stream())
            .filter(Judged.Response::truncated)
            .count(),
        Accuracy.of(rows),
        groups,
        macro,
        Margins.of(margins),
        Calibration.of(margins),
        Ranks.of(rows.stream().filter(row -> row.candidates().size() > 2).toList()),
        Bias.of(rows),
        Benchmarks.of(schema, rows),
        Optional.empty());
  }

  /** The same with the agreement with another program's scores. */
  public Evaluation with(Agreement found) {
    return new Evaluation(
        rows,
        texts,
        truncated,
        accuracy,
        groups,
        macro,
        margins,
        calibration,
        ranks,
        bias,
        benchmark,
        Optional.of(found));
  }

  private static Map<String, Map<String, Accuracy>> groups(List<Judged> rows) {
    TreeSet<String> columns = new TreeSet<>();
    rows.forEach(row -> columns.addAll(row.groups().keySet()));
    Map<String, Map<String, Accuracy>> groups = new LinkedHashMap<>();
    for (String column : columns) {
      Map<String, List<Judged>> values =
          rows.stream()
              .filter(row -> row.groups().containsKey(column) && !row.preferences().isEmpty())
              .collect(
                  Collectors.groupingBy(
                      row -> row.groups().get(column), TreeMap::new, Collectors.toList()));
      Map<String, Accuracy> accuracies = new LinkedHashMap<>();
      values.forEach((value, found) -> accuracies.put(value, Accuracy.of(found)));
      groups.put(column, accuracies);
    }
    return groups;
  }

  /** Pairs that the model is most wrong about, the worst first. */
  public static List<Disagreement> worst(List<Judged> rows, int count) {
    return rows.stream()
        .flatMap(row -> row.preferences().stream().map(pair -> new Disagreement(row, pair)))
        .filter(disagreement -> disagreement.margin() < 0)
        .sorted((a, b) -> Double.compare(a.margin(), b.margin()))
        .limit(count)
        .toList();
  }

  /** A pair whose preferred response has the lower reward. */
  public record Disagreement(Judged row, Preference pair) {
    /** By how much; negative. */
    public double margin() {
      return row.margin(pair);
    }
  }
}
