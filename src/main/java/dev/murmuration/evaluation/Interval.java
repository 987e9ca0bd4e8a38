package dev.murmuration.evaluation;

import org.hipparchus.stat.interval.BinomialProportion;
import org.hipparchus.stat.interval.ConfidenceInterval;

/**
 * A number with its 95 % confidence interval.
 *
 * @param value the estimate
 * @param low lower end
 * @param high upper end
 */
public record Interval(double value, double low, double high) {
  static final double CONFIDENCE = 0.95;

  /** A number without an interval. */
  public static Interval of(double value) {
    return new Interval(value, Double.NaN, Double.NaN);
  }

  /**
   * A share of independent trials, with Wilson's score interval (Wilson 1927); NaN without trials.
   *
   * @param successes a tie counts as half of one
   */
  static Interval wilson(double successes, long trials) {
    if (trials == 0) {
      return new Interval(Double.NaN, Double.NaN, Double.NaN);
    }
    double share = successes / trials;
    ConfidenceInterval interval =
        BinomialProportion.getWilsonScoreInterval(
            (int) Math.min(trials, Integer.MAX_VALUE), share, CONFIDENCE);
    return new Interval(
        share, Math.max(0, interval.getLowerBound()), Math.min(1, interval.getUpperBound()));
  }
}
