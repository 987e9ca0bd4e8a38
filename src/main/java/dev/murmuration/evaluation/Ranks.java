package dev.murmuration.evaluation;

import java.util.ArrayList;
import java.util.List;
import org.hipparchus.stat.correlation.KendallsCorrelation;
import org.hipparchus.util.CombinatoricsUtils;

/**
 * How well whole rows are ordered that people have ranked.
 *
 * @param rows with three candidates or more, or one preferred to another
 * @param top1 how often the highest reward is that of a candidate to which none is preferred; of k
 *     highest ones each counts 1/k
 * @param tau mean Kendall τ-b of rewards and ranks; NaN where no row has one
 * @param bestOf for n = 1, 2 …: mean worth of the candidate with the highest reward of n drawn
 *     ones, where the worst candidate of a row has 0 and the best 1
 */
public record Ranks(long rows, Interval top1, double tau, List<Double> bestOf) {

  static Ranks of(List<Judged> all) {
    List<Judged> rows = all.stream().filter(row -> !row.preferences().isEmpty()).toList();
    double top = 0;
    double taus = 0;
    long withTau = 0;
    int fewest = Integer.MAX_VALUE;
    for (Judged row : rows) {
      top += top1(row);
      double tau = tau(row);
      if (!Double.isNaN(tau)) {
        taus += tau;
        withTau++;
      }
      fewest = Math.min(fewest, row.candidates().size());
    }
    return new Ranks(
        rows.size(),
        Interval.wilson(top, rows.size()),
        withTau == 0 ? Double.NaN : taus / withTau,
        rows.isEmpty() ? List.of() : bestOf(rows, fewest));
  }

  /** The share of the highest rewards that belong to candidates to which none is preferred. */
  static double top1(Judged row) {
    boolean[] beaten = new boolean[row.candidates().size()];
    row.preferences().forEach(pair -> beaten[pair.worse()] = true);
    double highest = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < beaten.length; i++) {
      highest = Math.max(highest, row.reward(i));
    }
    double good = 0;
    double count = 0;
    for (int i = 0; i < beaten.length; i++) {
      if (row.reward(i) == highest) {
        count++;
        good += beaten[i] ? 0 : 1;
      }
    }
    return good / count;
  }

  private static double tau(Judged row) {
    double[] rewards = row.candidates().stream().mapToDouble(Judged.Response::reward).toArray();
    int[] worths = row.worths();
    double[] order = new double[worths.length];
    for (int i = 0; i < worths.length; i++) {
      order[i] = worths[i];
    }
    return new KendallsCorrelation().correlation(rewards, order);
  }

  private static List<Double> bestOf(List<Judged> rows, int most) {
    List<Double> curve = new ArrayList<>();
    for (int n = 1; n <= most; n++) {
      double sum = 0;
      for (Judged row : rows) {
        sum += bestOf(row, n);
      }
      curve.add(sum / rows.size());
    }
    return curve;
  }

  /** The expected worth of the highest reward among n of a row's candidates, all choices alike. */
  private static double bestOf(Judged row, int n) {
    int[] worths = row.worths();
    int least = Integer.MAX_VALUE;
    int most = Integer.MIN_VALUE;
    for (int worth : worths) {
      least = Math.min(least, worth);
      most = Math.max(most, worth);
    }
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < worths.length; i++) {
      order.add(i);
    }
    order.sort((a, b) -> Double.compare(row.reward(a), row.reward(b)));
    double expected = 0;
    double all = CombinatoricsUtils.binomialCoefficientDouble(worths.length, n);
    for (int place = n - 1; place < worths.length; place++) {
      // It is the highest of n if the others are among those below it.
      double share = CombinatoricsUtils.binomialCoefficientDouble(place, n - 1) / all;
      double worth =
          most == least ? 1 : (double) (worths[order.get(place)] - least) / (most - least);
      expected += share * worth;
    }
    return expected;
  }
}
