package dev.murmuration.evaluation;

import dev.murmuration.reward.Ranking;
import java.util.ArrayList;
import java.util.List;
import org.hipparchus.analysis.solvers.BrentSolver;
import org.hipparchus.stat.ranking.NaturalRanking;

/**
 * How well Bradley–Terry probabilities of pairs agree with what people prefer.
 *
 * @param auc area under the ROC curve, each pair taken in both orders
 * @param brier mean square of 1 less the probability of the preferred one (Brier 1950)
 * @param logLoss mean negative logarithm of that probability, in nats
 * @param error expected calibration error over {@link #bins} (Naeini et al. 2015)
 * @param temperature by which rewards are to be divided so that the log loss is least; infinite
 *     where the rewards say nothing, 0 where they are always right
 * @param fitted log loss at that temperature
 * @param bins of the probability of the one with the higher reward
 */
public record Calibration(
    double auc,
    double brier,
    double logLoss,
    double error,
    double temperature,
    double fitted,
    List<Bin> bins) {
  private static final int BINS = 10;
  private static final double LARGEST_INVERSE = 1e6;

  /**
   * Pairs with a similar probability.
   *
   * @param from lowest probability
   * @param to highest
   * @param pairs how many
   * @param predicted mean probability that the one with the higher reward is preferred
   * @param observed share in which it is
   */
  public record Bin(double from, double to, long pairs, double predicted, Interval observed) {}

  /**
   * The calibration of some pairs.
   *
   * @param margins reward of the preferred one less that of the other
   */
  static Calibration of(double[] margins) {
    double brier = 0;
    double loss = 0;
    for (double margin : margins) {
      double missing = 1 - Ranking.preferenceProbability(margin, 0);
      brier += missing * missing;
      loss += loss(margin);
    }
    List<Bin> bins = bins(margins);
    double error = 0;
    for (Bin bin : bins) {
      if (bin.pairs() > 0) {
        error += Math.abs(bin.predicted() - bin.observed().value()) * bin.pairs() / margins.length;
      }
    }
    double inverse = inverseTemperature(margins);
    double fitted = 0;
    for (double margin : margins) {
      fitted += loss(margin * inverse);
    }
    int n = margins.length;
    return new Calibration(auc(margins), brier / n, loss / n, error, 1 / inverse, fitted / n, bins);
  }

  /** −log σ(margin), without overflow. */
  private static double loss(double margin) {
    return margin > 0 ? Math.log1p(Math.exp(-margin)) : Math.log1p(Math.exp(margin)) - margin;
  }

  /** The share of two pairs, one in each order, that their margins tell apart. */
  private static double auc(double[] margins) {
    if (margins.length == 0) {
      return Double.NaN;
    }
    int n = margins.length;
    double[] both = new double[2 * n];
    for (int i = 0; i < n; i++) {
      // Ranking tells 0 from −0, which are the same margin.
      both[i] = margins[i] + 0.0;
      both[n + i] = 0.0 - margins[i];
    }
    double[] ranks = new NaturalRanking().rank(both);
    double sum = 0;
    for (int i = 0; i < n; i++) {
      sum += ranks[i];
    }
    return (sum - n * (n + 1.0) / 2) / ((double) n * n);
  }

  private static List<Bin> bins(double[] margins) {
    long[] pairs = new long[BINS];
    double[] predicted = new double[BINS];
    double[] won = new double[BINS];
    for (double margin : margins) {
      double probability = Ranking.preferenceProbability(Math.abs(margin), 0);
      int bin = Math.min(BINS - 1, (int) ((probability - 0.5) * 2 * BINS));
      pairs[bin]++;
      predicted[bin] += probability;
      won[bin] += Accuracy.credit(margin);
    }
    List<Bin> bins = new ArrayList<>();
    for (int i = 0; i < BINS; i++) {
      bins.add(
          new Bin(
              0.5 + 0.5 * i / BINS,
              0.5 + 0.5 * (i + 1) / BINS,
              pairs[i],
              pairs[i] == 0 ? Double.NaN : predicted[i] / pairs[i],
              Interval.wilson(won[i], pairs[i])));
    }
    return bins;
  }

  /** Where the derivative of the log likelihood of all margins is 0. */
  private static double inverseTemperature(double[] margins) {
    if (slope(margins, 0) <= 0) {
      return 0;
    }
    if (slope(margins, LARGEST_INVERSE) >= 0) {
      return Double.POSITIVE_INFINITY;
    }
    return new BrentSolver(1e-12, 1e-12)
        .solve(10_000, inverse -> slope(margins, inverse), 0, LARGEST_INVERSE);
  }

  private static double slope(double[] margins, double inverse) {
    double slope = 0;
    for (double margin : margins) {
      slope += margin * (1 - Ranking.preferenceProbability(margin * inverse, 0));
    }
    return slope;
  }
}
