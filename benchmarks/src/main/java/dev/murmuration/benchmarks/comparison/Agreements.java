package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.PlainDecode;
import dev.murmuration.benchmarks.Texts;
import java.util.ArrayList;
import java.util.List;

/**
 * Whether contenders compute the right thing, by llama.cpp's plain decode of each text. The weights
 * are random and of 4 bits, which exaggerates every difference in rounding; a wrong token, text,
 * pooling or weight gives a cosine near 0.
 */
final class Agreements {
  private static final double LEAST_COSINE = 0.9;
  private static final double MOST_REWARD = 0.25;

  private final PlainDecode plain;
  private final List<float[]> expected;
  private final List<Results.Agreement> all = new ArrayList<>();

  /** Computes the eight texts the plain way. */
  Agreements(PlainDecode plain, Texts.BestOf eight) {
    this.plain = plain;
    this.expected = eight.texts().stream().map(plain::state).toList();
  }

  List<Results.Agreement> all() {
    return all;
  }

  /**
   * Compares an answer with the oracle's.
   *
   * @throws IllegalStateException if it is another one
   */
  void check(String contender, Contender.Answer answer) {
    double cosine = Double.NaN;
    double reward = Double.NaN;
    for (int i = 0; i < expected.size(); i++) {
      float[] right = expected.get(i);
      if (answer.states() != null) {
        float[] state = answer.states()[i];
        cosine = least(contender, cosine, cosine(right, state));
        // A state of length 1 is a direction only; the others have about √hiddenSize.
        if (Math.abs(length(state) - 1) > 1e-3) {
          reward = most(contender, reward, plain.project(state) - plain.project(right));
        }
      } else {
        reward = most(contender, reward, answer.rewards()[i] - plain.project(right));
      }
    }
    System.err.printf("  %s: cosine %.5f, reward ± %.4f%n", contender, cosine, reward);
    all.add(new Results.Agreement(contender, cosine, reward));
  }

  // The negations catch NaN.

  private static double least(String contender, double soFar, double cosine) {
    if (!(cosine >= LEAST_COSINE)) {
      throw new IllegalStateException(
          contender + " computes something else: a cosine of hidden states of " + cosine);
    }
    return Double.isNaN(soFar) ? cosine : Math.min(soFar, cosine);
  }

  private static double most(String contender, double soFar, double difference) {
    if (!(Math.abs(difference) <= MOST_REWARD)) {
      throw new IllegalStateException(
          contender + " computes something else: a reward that differs by " + difference);
    }
    return Double.isNaN(soFar) ? Math.abs(difference) : Math.max(soFar, Math.abs(difference));
  }

  private static double cosine(float[] a, float[] b) {
    if (a.length != b.length) {
      throw new IllegalStateException(b.length + " numbers in a state of " + a.length);
    }
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += (double) a[i] * b[i];
    }
    return sum / length(a) / length(b);
  }

  private static double length(float[] a) {
    double sum = 0;
    for (float value : a) {
      sum += (double) value * value;
    }
    return Math.sqrt(sum);
  }
}
