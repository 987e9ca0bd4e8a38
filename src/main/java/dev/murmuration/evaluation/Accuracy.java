package dev.murmuration.evaluation;

import dev.murmuration.dataset.Preference;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * How often the preferred one of a pair has the higher reward. Equal rewards count as half.
 *
 * @param rows with pairs
 * @param pairs in all rows
 * @param ties pairs with equal rewards
 * @param wilson over the pairs, as if they were independent
 * @param byPrompt the same value, with an interval that takes prompts and not pairs as independent
 * @param perRow the mean over rows of each row's share
 */
public record Accuracy(
    long rows, long pairs, long ties, Interval wilson, Interval byPrompt, double perRow) {

  /** The accuracy in some rows. */
  static Accuracy of(List<Judged> rows) {
    Map<Integer, double[]> prompts = new HashMap<>();
    long withPairs = 0;
    long pairs = 0;
    long ties = 0;
    double correct = 0;
    double shares = 0;
    for (Judged row : rows) {
      if (row.preferences().isEmpty()) {
        continue;
      }
      double won = 0;
      for (Preference pair : row.preferences()) {
        double margin = row.margin(pair);
        won += credit(margin);
        ties += margin == 0 ? 1 : 0;
      }
      int count = row.preferences().size();
      withPairs++;
      pairs += count;
      correct += won;
      shares += won / count;
      double[] cluster = prompts.computeIfAbsent(row.prompt(), _ -> new double[2]);
      cluster[0] += won;
      cluster[1] += count;
    }
    List<Bootstrap.Cluster> clusters = new ArrayList<>();
    prompts.values().forEach(sum -> clusters.add(new Bootstrap.Cluster(sum[0], sum[1])));
    return new Accuracy(
        withPairs,
        pairs,
        ties,
        Interval.wilson(correct, pairs),
        Bootstrap.mean(clusters),
        withPairs == 0 ? Double.NaN : shares / withPairs);
  }

  static double credit(double margin) {
    return margin > 0 ? 1 : margin == 0 ? 0.5 : 0;
  }
}
