package dev.murmuration.evaluation;

import java.util.Arrays;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import org.hipparchus.stat.descriptive.rank.Percentile;

/**
 * Percentile bootstrap over clusters (Efron and Tibshirani 1993, chapter 13): prompts are drawn
 * with replacement, each with all its pairs, because pairs of one prompt are not independent.
 */
final class Bootstrap {
  private static final int DRAWS = 2000;
  private static final long SEED = 20_231_121;

  /**
   * A share that is made of clusters.
   *
   * @param sum of the values in the cluster
   * @param count of them
   */
  record Cluster(double sum, double count) {}

  private Bootstrap() {}

  /** The mean over all clusters' values, with its interval; NaN without values. */
  static Interval mean(List<Cluster> clusters) {
    double sum = 0;
    double count = 0;
    for (Cluster cluster : clusters) {
      sum += cluster.sum();
      count += cluster.count();
    }
    double value = count == 0 ? Double.NaN : sum / count;
    if (clusters.size() < 2) {
      return new Interval(value, Double.NaN, Double.NaN);
    }
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(SEED);
    double[] means = new double[DRAWS];
    for (int draw = 0; draw < DRAWS; draw++) {
      double drawnSum = 0;
      double drawnCount = 0;
      for (int i = 0; i < clusters.size(); i++) {
        Cluster cluster = clusters.get(random.nextInt(clusters.size()));
        drawnSum += cluster.sum();
        drawnCount += cluster.count();
      }
      means[draw] = drawnCount == 0 ? value : drawnSum / drawnCount;
    }
    Arrays.sort(means);
    double outside = (1 - Interval.CONFIDENCE) / 2 * 100;
    Percentile percentile = new Percentile().withEstimationType(Percentile.EstimationType.R_7);
    return new Interval(
        value, percentile.evaluate(means, outside), percentile.evaluate(means, 100 - outside));
  }
}
