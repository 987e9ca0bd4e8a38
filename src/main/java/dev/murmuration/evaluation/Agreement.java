package dev.murmuration.evaluation;

import dev.murmuration.dataset.Preference;
import dev.murmuration.dataset.ReferenceScores;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.hipparchus.stat.correlation.PearsonsCorrelation;

/**
 * How far rewards agree, pair by pair, with those that another program gave. Where the same weights
 * are read as they are meant to be, the sides are the same in nearly all pairs, the correlation is
 * nearly 1 and the difference is as small as the precision; another read-out, template or order of
 * tokens shows in all three.
 *
 * @param model that the other program names, or an empty text
 * @param pairs that both have judged
 * @param missing pairs that the reference lacks, has twice, or has with another number of responses
 * @param sameSide how often both prefer the same response; equal rewards are a side of their own
 * @param correlation of the rewards, Pearson's
 * @param marginCorrelation of the margins, Pearson's
 * @param meanDifference mean of the rewards' absolute differences
 * @param mostDifference the largest one
 * @param accuracy of the reference in these pairs
 * @param margins of each pair: ours and the reference's
 */
public record Agreement(
    String model,
    long pairs,
    long missing,
    Interval sameSide,
    double correlation,
    double marginCorrelation,
    double meanDifference,
    double mostDifference,
    Interval accuracy,
    List<double[]> margins) {

  /**
   * Compares rows with a reference.
   *
   * @throws IllegalArgumentException if it has none of them
   */
  public static Agreement of(List<Judged> rows, ReferenceScores reference) {
    List<Double> ours = new ArrayList<>();
    List<Double> theirs = new ArrayList<>();
    List<double[]> margins = new ArrayList<>();
    long missing = 0;
    double same = 0;
    double right = 0;
    for (Judged row : rows) {
      Optional<List<Double>> found =
          reference
              .of(row.id(), row.groups())
              .filter(scores -> scores.size() == row.candidates().size());
      if (found.isEmpty()) {
        missing += row.preferences().size();
        continue;
      }
      for (int i = 0; i < row.candidates().size(); i++) {
        ours.add(row.reward(i));
        theirs.add(found.get().get(i));
      }
      for (Preference pair : row.preferences()) {
        double margin = found.get().get(pair.better()) - found.get().get(pair.worse());
        margins.add(new double[] {row.margin(pair), margin});
        same += Math.signum(margin) == Math.signum(row.margin(pair)) ? 1 : 0;
        right += Accuracy.credit(margin);
      }
    }
    if (margins.isEmpty()) {
      throw new IllegalArgumentException(
          "the reference has none of the rows; it has "
              + reference.rows().size()
              + " rows, which are found by the columns id and subset of RewardBench's data");
    }
    double sum = 0;
    double most = 0;
    for (int i = 0; i < ours.size(); i++) {
      double difference = Math.abs(ours.get(i) - theirs.get(i));
      sum += difference;
      most = Math.max(most, difference);
    }
    return new Agreement(
        reference.model(),
        margins.size(),
        missing,
        Interval.wilson(same, margins.size()),
        correlation(array(ours), array(theirs)),
        correlation(column(margins, 0), column(margins, 1)),
        sum / ours.size(),
        most,
        Interval.wilson(right, margins.size()),
        margins);
  }

  private static double[] array(List<Double> values) {
    return values.stream().mapToDouble(Double::doubleValue).toArray();
  }

  private static double[] column(List<double[]> margins, int column) {
    return margins.stream().mapToDouble(pair -> pair[column]).toArray();
  }

  private static double correlation(double[] first, double[] second) {
    return first.length < 2 ? Double.NaN : new PearsonsCorrelation().correlation(first, second);
  }
}
