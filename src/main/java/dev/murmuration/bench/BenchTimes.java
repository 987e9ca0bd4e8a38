package dev.murmuration.bench;

import java.util.List;

/**
 * How long repetitions of the same work took.
 *
 * @param seconds one or more, ascending
 */
public record BenchTimes(List<Double> seconds) {
  public BenchTimes {
    seconds = seconds.stream().sorted().toList();
  }

  public int repetitions() {
    return seconds.size();
  }

  public double shortest() {
    return seconds.getFirst();
  }

  public double longest() {
    return seconds.getLast();
  }

  public double median() {
    int half = seconds.size() / 2;
    return seconds.size() % 2 == 1
        ? seconds.get(half)
        : (seconds.get(half - 1) + seconds.get(half)) / 2;
  }

  /** The least of these times that a share of them, 0 to 1, does not exceed (nearest rank). */
  public double percentile(double share) {
    return seconds.get(Math.max(0, (int) Math.ceil(share * seconds.size()) - 1));
  }
}
