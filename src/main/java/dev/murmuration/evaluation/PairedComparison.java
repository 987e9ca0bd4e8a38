package dev.murmuration.evaluation;

import dev.murmuration.dataset.Preference;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.hipparchus.distribution.discrete.BinomialDistribution;

/**
 * Two models, or two runs, on the same rows.
 *
 * @param pairs that both have judged
 * @param first accuracy of the first one
 * @param second accuracy of the second one
 * @param difference of the second's accuracy and the first's, with an interval that takes prompts
 *     as independent
 * @param onlyFirst pairs that only the first one gets right
 * @param onlySecond pairs that only the second one gets right
 * @param mcNemar the probability of so unequal numbers of these, or more unequal ones, if both were
 *     equally good: McNemar's exact test, two-sided
 * @param fidelity what becomes of the first one's preferences in the second
 * @param changes pairs that only one of them gets right, those first whose margin changes most
 */
public record PairedComparison(
    long pairs,
    Interval first,
    Interval second,
    Interval difference,
    long onlyFirst,
    long onlySecond,
    double mcNemar,
    Fidelity fidelity,
    List<Change> changes) {
  private static final int MOST_CHANGES = 20;

  /**
   * A pair of which one of them has another favourite than people.
   *
   * @param row its number in the data
   * @param id the row's own id, or an empty text
   * @param better place of the candidate that people prefer, from 0
   * @param worse place of the other one
   * @param first by how much the first one prefers it
   * @param second by how much the second one does
   */
  public record Change(long row, String id, int better, int worse, double first, double second) {
    private double size() {
      return Math.abs(second - first);
    }
  }

  /**
   * Compares two results row by row.
   *
   * @throws IllegalArgumentException if the rows, their candidates or their preferences differ
   */
  public static PairedComparison of(List<Judged> first, List<Judged> second) {
    if (first.size() != second.size()) {
      throw new IllegalArgumentException(
          "the results have "
              + first.size()
              + " and "
              + second.size()
              + " rows; compare results of the same data");
    }
    Map<Integer, double[]> prompts = new HashMap<>();
    List<Change> changes = new ArrayList<>();
    long pairs = 0;
    double wonFirst = 0;
    double wonSecond = 0;
    long onlyFirst = 0;
    long onlySecond = 0;
    for (int i = 0; i < first.size(); i++) {
      Judged a = first.get(i);
      Judged b = second.get(i);
      if (a.row() != b.row()
          || a.candidates().size() != b.candidates().size()
          || !a.preferences().equals(b.preferences())) {
        throw new IllegalArgumentException(
            "row "
                + a.row()
                + " of the first result is not that of the second; compare results of the"
                + " same data");
      }
      double[] cluster = prompts.computeIfAbsent(a.prompt(), _ -> new double[2]);
      for (Preference pair : a.preferences()) {
        double creditA = Accuracy.credit(a.margin(pair));
        double creditB = Accuracy.credit(b.margin(pair));
        pairs++;
        wonFirst += creditA;
        wonSecond += creditB;
        onlyFirst += creditA == 1 && creditB < 1 ? 1 : 0;
        onlySecond += creditB == 1 && creditA < 1 ? 1 : 0;
        if ((creditA == 1) != (creditB == 1)) {
          changes.add(change(a, b, pair));
        }
        cluster[0] += creditB - creditA;
        cluster[1]++;
      }
    }
    List<Bootstrap.Cluster> clusters = new ArrayList<>();
    prompts.values().forEach(sum -> clusters.add(new Bootstrap.Cluster(sum[0], sum[1])));
    return new PairedComparison(
        pairs,
        Interval.wilson(wonFirst, pairs),
        Interval.wilson(wonSecond, pairs),
        Bootstrap.mean(clusters),
        onlyFirst,
        onlySecond,
        mcNemar(onlyFirst, onlySecond),
        Fidelity.of(Judged.rewards(first), Judged.rewards(second)),
        changes.stream()
            .sorted(Comparator.comparingDouble(Change::size).reversed())
            .limit(MOST_CHANGES)
            .toList());
  }

  private static Change change(Judged a, Judged b, Preference pair) {
    return new Change(a.row(), a.id(), pair.better(), pair.worse(), a.margin(pair), b.margin(pair));
  }

  static double mcNemar(long onlyFirst, long onlySecond) {
    int different = (int) Math.min(Integer.MAX_VALUE, onlyFirst + onlySecond);
    int fewer = (int) Math.min(onlyFirst, onlySecond);
    return different == 0
        ? 1
        : Math.min(1, 2 * new BinomialDistribution(different, 0.5).cumulativeProbability(fewer));
  }
}
