package dev.murmuration.reward;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * Responses to one prompt, best first; equal rewards stay in the order in which they were given.
 *
 * @param entries one for each response
 */
public record Ranking(List<Entry> entries) {
  /**
   * One response's place.
   *
   * @param response the text that is judged; may be empty
   * @param reward its reward
   * @param rank from 1, the best
   * @param index place in the list that was given, from 0
   * @param probabilityOfBest that this response is the best of all, under the Plackett–Luce model
   *     whose log-worths are the rewards: the softmax of the rewards (Plackett 1975; Luce 1959).
   *     For two responses it is the Bradley–Terry probability of winning.
   */
  public record Entry(
      int rank, int index, String response, Reward reward, double probabilityOfBest) {}

  /** Takes a copy of the list. */
  public Ranking {
    entries = List.copyOf(entries);
  }

  /**
   * Ranks responses by their rewards, which are given in the same order.
   *
   * @param responses the texts that are compared
   * @param rewards the reward of each response, in the same order
   * @return the responses, the best first
   * @throws IllegalArgumentException if there are none, or not as many rewards as responses
   */
  public static Ranking of(List<String> responses, List<Reward> rewards) {
    if (responses.isEmpty() || responses.size() != rewards.size()) {
      throw new IllegalArgumentException(
          responses.size() + " responses and " + rewards.size() + " rewards; give one each");
    }
    double[] probabilities =
        probabilitiesOfBest(rewards.stream().mapToDouble(Reward::reward).toArray());
    List<Integer> order = new ArrayList<>();
    for (int i = 0; i < responses.size(); i++) {
      order.add(i);
    }
    order.sort(Comparator.comparingDouble((Integer i) -> rewards.get(i).reward()).reversed());
    List<Entry> entries = new ArrayList<>();
    for (int i : order) {
      entries.add(
          new Entry(entries.size() + 1, i, responses.get(i), rewards.get(i), probabilities[i]));
    }
    return new Ranking(entries);
  }

  /**
   * Bradley–Terry: the probability that the first of two responses to a prompt is preferred,
   * 1/(1+e^(second-first)).
   *
   * @param first the reward of one response
   * @param second the reward of the other response
   * @return a probability, 0 to 1
   */
  public static double preferenceProbability(double first, double second) {
    return 1 / (1 + Math.exp(second - first));
  }

  /**
   * Plackett–Luce: for each reward the probability that its response is the best; they add up to 1.
   *
   * @param rewards rewards of the responses to one prompt
   * @return a probability for each reward, 0 to 1
   */
  public static double[] probabilitiesOfBest(double[] rewards) {
    double max = Double.NEGATIVE_INFINITY;
    for (double reward : rewards) {
      max = Math.max(max, reward);
    }
    double sum = 0;
    double[] probabilities = new double[rewards.length];
    for (int i = 0; i < rewards.length; i++) {
      // The largest is subtracted so that no exponential overflows.
      probabilities[i] = Math.exp(rewards[i] - max);
      sum += probabilities[i];
    }
    for (int i = 0; i < rewards.length; i++) {
      probabilities[i] /= sum;
    }
    return probabilities;
  }

  /** {@return the best response} */
  public Entry best() {
    return entries.getFirst();
  }
}
