package dev.murmuration.evaluation;

import dev.murmuration.dataset.Preference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import org.hipparchus.analysis.interpolation.LinearInterpolator;
import org.hipparchus.analysis.interpolation.LoessInterpolator;
import org.hipparchus.analysis.polynomials.PolynomialSplineFunction;
import org.hipparchus.exception.MathRuntimeException;
import org.hipparchus.stat.correlation.SpearmansCorrelation;

/**
 * Whether a model likes long responses, or Markdown.
 *
 * @param length Spearman's correlation of a pair's difference of lengths and its difference of
 *     rewards
 * @param preferredLength of its difference of lengths and which one people prefer
 * @param byLength accuracy of fifths of the pairs, from where the preferred one is shortest beside
 *     the other to where it is longest
 * @param withoutLength accuracy after a smooth curve of the reward over the length (LOWESS,
 *     Cleveland 1979) is taken out; NaN where lengths differ too little
 * @param plainer accuracy where the preferred one has less Markdown than the other
 * @param richer accuracy where it has more
 */
public record Bias(
    double length,
    double preferredLength,
    List<LengthShare> byLength,
    double withoutLength,
    Interval plainer,
    Interval richer) {
  private static final int FIFTHS = 5;
  private static final int MOST_POINTS = 3000;
  private static final double BANDWIDTH = 0.3;

  /**
   * Pairs with a similar difference of lengths.
   *
   * @param from least difference, in characters
   * @param to greatest
   */
  public record LengthShare(int from, int to, Interval accuracy) {}

  private record Pair(int longer, int marks, double margin) {}

  static Bias of(List<Judged> rows) {
    List<Pair> pairs = new ArrayList<>();
    for (Judged row : rows) {
      for (Preference pair : row.preferences()) {
        Judged.Response better = row.candidates().get(pair.better());
        Judged.Response worse = row.candidates().get(pair.worse());
        pairs.add(
            new Pair(
                better.characters() - worse.characters(),
                better.marks() - worse.marks(),
                row.margin(pair)));
      }
    }
    double[] longer = pairs.stream().mapToDouble(Pair::longer).toArray();
    double[] margins = pairs.stream().mapToDouble(Pair::margin).toArray();
    return new Bias(
        correlation(longer, margins),
        preference(longer),
        byLength(pairs),
        withoutLength(rows),
        accuracy(pairs.stream().filter(pair -> pair.marks() < 0).toList()),
        accuracy(pairs.stream().filter(pair -> pair.marks() > 0).toList()));
  }

  private static double correlation(double[] x, double[] y) {
    return x.length < 3 ? Double.NaN : new SpearmansCorrelation().correlation(x, y);
  }

  /** How much more often the longer one is preferred than the shorter one, −1 to 1. */
  private static double preference(double[] longer) {
    double sum = Arrays.stream(longer).map(Math::signum).sum();
    long different = Arrays.stream(longer).filter(value -> value != 0).count();
    return different == 0 ? Double.NaN : sum / different;
  }

  private static Interval accuracy(List<Pair> pairs) {
    double correct = pairs.stream().mapToDouble(pair -> Accuracy.credit(pair.margin())).sum();
    return Interval.wilson(correct, pairs.size());
  }

  private static List<LengthShare> byLength(List<Pair> pairs) {
    List<Pair> sorted =
        pairs.stream().sorted((a, b) -> Integer.compare(a.longer(), b.longer())).toList();
    List<LengthShare> shares = new ArrayList<>();
    for (int i = 0; i < FIFTHS; i++) {
      List<Pair> part =
          sorted.subList(sorted.size() * i / FIFTHS, sorted.size() * (i + 1) / FIFTHS);
      if (!part.isEmpty()) {
        shares.add(
            new LengthShare(part.getFirst().longer(), part.getLast().longer(), accuracy(part)));
      }
    }
    return shares;
  }

  private static double withoutLength(List<Judged> rows) {
    TreeMap<Integer, double[]> byLength = new TreeMap<>();
    for (Judged row : rows) {
      for (Judged.Response response : row.candidates()) {
        double[] sum = byLength.computeIfAbsent(response.characters(), _ -> new double[2]);
        sum[0] += response.reward();
        sum[1]++;
      }
    }
    PolynomialSplineFunction curve = curve(byLength);
    if (curve == null) {
      return Double.NaN;
    }
    double correct = 0;
    long pairs = 0;
    for (Judged row : rows) {
      for (Preference pair : row.preferences()) {
        correct +=
            Accuracy.credit(rest(row, pair.better(), curve) - rest(row, pair.worse(), curve));
        pairs++;
      }
    }
    return pairs == 0 ? Double.NaN : correct / pairs;
  }

  private static double rest(Judged row, int candidate, PolynomialSplineFunction curve) {
    double[] knots = curve.getKnots();
    int characters = row.candidates().get(candidate).characters();
    return row.reward(candidate)
        - curve.value(Math.clamp(characters, knots[0], knots[knots.length - 1]));
  }

  /** The smoothed mean reward of each length; null where there are too few. */
  private static PolynomialSplineFunction curve(TreeMap<Integer, double[]> byLength) {
    int step = byLength.size() / MOST_POINTS + 1;
    List<Double> x = new ArrayList<>();
    List<Double> y = new ArrayList<>();
    List<Double> weights = new ArrayList<>();
    double length = 0;
    double reward = 0;
    double weight = 0;
    int taken = 0;
    for (var entry : byLength.entrySet()) {
      length += entry.getKey() * entry.getValue()[1];
      reward += entry.getValue()[0];
      weight += entry.getValue()[1];
      if (++taken % step == 0 || taken == byLength.size()) {
        x.add(length / weight);
        y.add(reward / weight);
        weights.add(weight);
        length = reward = weight = 0;
      }
    }
    if (x.size() < 1 / BANDWIDTH * 3) {
      return null;
    }
    double[] xs = x.stream().mapToDouble(Double::doubleValue).toArray();
    double[] ys = y.stream().mapToDouble(Double::doubleValue).toArray();
    double[] ws = weights.stream().mapToDouble(Double::doubleValue).toArray();
    try {
      LoessInterpolator loess = new LoessInterpolator(BANDWIDTH, 2);
      return new LinearInterpolator().interpolate(xs, loess.smooth(xs, ys, ws));
    } catch (MathRuntimeException e) {
      return null;
    }
  }
}
