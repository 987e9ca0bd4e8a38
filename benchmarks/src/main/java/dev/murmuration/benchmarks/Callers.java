package dev.murmuration.benchmarks;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;

/** Several callers of one model at once, each of whom waits for a reward before asking again. */
public final class Callers {
  private static final int TEXTS = 64;
  private static final int SHORTEST = 16;
  private static final int LONGEST = 96;

  private Callers() {}

  /**
   * What came of it.
   *
   * @param rewards in the order of the texts
   * @param seconds from the first question to the last answer
   * @param longestWait the longest that one reward took, in seconds
   * @param fairWait what each would have taken with equal shares: {@code seconds} by the texts of a
   *     caller
   */
  public record Outcome(
      List<Reward> rewards, double seconds, double longestWait, double fairWait) {}

  /** Texts enough for 32 callers to ask twice. */
  public static List<String> texts(Texts texts) {
    return texts.mixed(TEXTS, SHORTEST, LONGEST);
  }

  /** Lets so many callers, a divisor of the texts, score their share each. */
  public static Outcome score(RewardModel model, int callers, List<String> texts) {
    Reward[] rewards = new Reward[texts.size()];
    double[] waits = new double[texts.size()];
    CountDownLatch start = new CountDownLatch(1);
    long begin;
    // Closing waits for all.
    try (ExecutorService executor = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int caller = 0; caller < callers; caller++) {
        int first = caller;
        executor.submit(
            () -> {
              start.await();
              for (int i = first; i < texts.size(); i += callers) {
                long asked = System.nanoTime();
                rewards[i] = model.score(Input.text(texts.get(i)));
                waits[i] = (System.nanoTime() - asked) / 1e9;
              }
              return null;
            });
      }
      begin = System.nanoTime();
      start.countDown();
    }
    double seconds = (System.nanoTime() - begin) / 1e9;
    return new Outcome(
        // Throws if one of them failed and left a hole.
        List.of(rewards),
        seconds,
        Arrays.stream(waits).max().orElseThrow(),
        seconds / Math.ceilDiv(texts.size(), callers));
  }
}
