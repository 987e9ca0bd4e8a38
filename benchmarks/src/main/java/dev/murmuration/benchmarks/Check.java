package dev.murmuration.benchmarks;

import dev.murmuration.reward.Reward;
import java.util.List;

/**
 * Whether a benchmark computes the right thing; looked at in its setup, never while it is timed.
 */
final class Check {
  /**
   * How far apart two rewards of a model with random weights may be in {@code fast}: they are
   * spread around 0 with a standard deviation near 1, and such weights, of 4 bits at that,
   * exaggerate every rounding.
   */
  static final double TOLERANCE = 0.1;

  private Check() {}

  static void equal(String what, long expected, long actual) {
    if (expected != actual) {
      throw new IllegalStateException(what + " is " + actual + ", not " + expected);
    }
  }

  static void near(String what, double expected, double actual, double tolerance) {
    // The negation catches NaN.
    if (!(Math.abs(expected - actual) <= tolerance)) {
      throw new IllegalStateException(
          what + " is " + actual + ", not " + expected + " ± " + tolerance);
    }
  }

  static void near(String what, List<Reward> expected, List<Reward> actual) {
    equal(what + ": rewards", expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      near(what, expected.get(i).reward(), actual.get(i).reward(), TOLERANCE);
      equal(what + ": tokens", expected.get(i).tokens(), actual.get(i).tokens());
    }
  }
}
