package dev.murmuration.evaluation;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.hipparchus.stat.correlation.KendallsCorrelation;
import org.hipparchus.stat.correlation.SpearmansCorrelation;
import org.hipparchus.stat.descriptive.DescriptiveStatistics;

/**
 * What becomes of the preferences of one run in another one of the same texts: another
 * quantization, precision or order.
 *
 * @param rows with two texts or more
 * @param pairs of texts of one row, all of them
 * @param flipped pairs whose order is the other way round
 * @param byMargin the same by how far apart the reference puts a pair: tenths of the pairs, the
 *     nearest ones first
 * @param tau mean Kendall τ-b of the rows' rewards
 * @param spearman Spearman's correlation over all texts
 * @param topChanged rows in which another text has the highest reward
 * @param regret mean over rows of how much less the reference gives to the text that the other run
 *     prefers than to its own favourite
 * @param drift mean difference of the rewards
 * @param rms root mean square of the differences
 * @param spread standard deviation of the reference's rewards
 * @param tieMargin the 95th percentile of how much a pair's margin changes: a preference by less
 *     may be the other way round in the other run
 */
public record Fidelity(
    long rows,
    long pairs,
    Interval flipped,
    List<MarginShare> byMargin,
    double tau,
    double spearman,
    Interval topChanged,
    double regret,
    double drift,
    double rms,
    double spread,
    double tieMargin) {
  private static final int TENTHS = 10;
  private static final double SURE = 95;

  /**
   * Pairs that the reference puts about equally far apart.
   *
   * @param from least margin
   * @param to greatest
   */
  public record MarginShare(double from, double to, Interval flipped) {}

  private record Pair(double before, double after) {
    boolean isFlipped() {
      return before != 0 && Math.signum(before) != Math.signum(after);
    }
  }

  /**
   * Compares two runs.
   *
   * @param reference rewards of each row's texts
   * @param candidate rewards of the same texts
   * @throws IllegalArgumentException if the rows are not the same, or there are none
   */
  public static Fidelity of(List<double[]> reference, List<double[]> candidate) {
    if (reference.isEmpty() || reference.size() != candidate.size()) {
      throw new IllegalArgumentException(
          "the runs have "
              + reference.size()
              + " and "
              + candidate.size()
              + " rows; give the same");
    }
    List<Pair> pairs = new ArrayList<>();
    DescriptiveStatistics taus = new DescriptiveStatistics();
    double changed = 0;
    double regret = 0;
    long rows = 0;
    for (int i = 0; i < reference.size(); i++) {
      double[] before = reference.get(i);
      double[] after = candidate.get(i);
      if (before.length > 1) {
        rows++;
        addPairs(before, after, pairs);
        double tau = new KendallsCorrelation().correlation(before, after);
        if (!Double.isNaN(tau)) {
          taus.addValue(tau);
        }
        changed += before[best(after)] < before[best(before)] ? 1 : 0;
        regret += before[best(before)] - before[best(after)];
      }
    }
    double[] allBefore = reference.stream().flatMapToDouble(Arrays::stream).toArray();
    double[] allAfter = candidate.stream().flatMapToDouble(Arrays::stream).toArray();
    DescriptiveStatistics differences = new DescriptiveStatistics();
    for (int i = 0; i < allBefore.length; i++) {
      differences.addValue(allAfter[i] - allBefore[i]);
    }
    return new Fidelity(
        rows,
        pairs.size(),
        flipped(pairs),
        byMargin(pairs),
        taus.getN() == 0 ? Double.NaN : taus.getMean(),
        allBefore.length < 2
            ? Double.NaN
            : new SpearmansCorrelation().correlation(allBefore, allAfter),
        Interval.wilson(changed, rows),
        rows == 0 ? Double.NaN : regret / rows,
        differences.getMean(),
        differences.getQuadraticMean(),
        new DescriptiveStatistics(allBefore).getStandardDeviation(),
        tieMargin(pairs));
  }

  private static void addPairs(double[] before, double[] after, List<Pair> pairs) {
    for (int a = 0; a < before.length; a++) {
      for (int b = a + 1; b < before.length; b++) {
        pairs.add(new Pair(before[a] - before[b], after[a] - after[b]));
      }
    }
  }

  /** The first of the highest. */
  private static int best(double[] rewards) {
    int best = 0;
    for (int i = 1; i < rewards.length; i++) {
      best = rewards[i] > rewards[best] ? i : best;
    }
    return best;
  }

  private static Interval flipped(List<Pair> pairs) {
    return Interval.wilson((double) pairs.stream().filter(Pair::isFlipped).count(), pairs.size());
  }

  private static List<MarginShare> byMargin(List<Pair> pairs) {
    List<Pair> sorted =
        pairs.stream()
            .sorted((a, b) -> Double.compare(Math.abs(a.before()), Math.abs(b.before())))
            .toList();
    List<MarginShare> shares = new ArrayList<>();
    for (int i = 0; i < TENTHS; i++) {
      List<Pair> part =
          sorted.subList(sorted.size() * i / TENTHS, sorted.size() * (i + 1) / TENTHS);
      if (!part.isEmpty()) {
        shares.add(
            new MarginShare(
                Math.abs(part.getFirst().before()),
                Math.abs(part.getLast().before()),
                flipped(part)));
      }
    }
    return shares;
  }

  private static double tieMargin(List<Pair> pairs) {
    DescriptiveStatistics changes = new DescriptiveStatistics();
    pairs.forEach(pair -> changes.addValue(Math.abs(pair.after() - pair.before())));
    return changes.getN() == 0 ? Double.NaN : changes.getPercentile(SURE);
  }
}
