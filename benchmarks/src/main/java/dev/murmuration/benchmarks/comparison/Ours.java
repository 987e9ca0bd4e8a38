package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.Texts;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/** This library. */
record Ours(String name, Function<Texts.BestOf, List<Reward>> way) implements Contender {

  /** All responses in one call. */
  static Ours together(String name, RewardModel model) {
    return new Ours(name, eight -> model.scoreAll(eight.conversations()));
  }

  /** A call for each response. */
  static Ours oneByOne(String name, RewardModel model) {
    return new Ours(
        name,
        eight -> {
          List<Reward> rewards = new ArrayList<>();
          eight.conversations().forEach(each -> rewards.add(model.score(each)));
          return rewards;
        });
  }

  @Override
  public Answer answer(Texts.BestOf eight) {
    long start = System.nanoTime();
    List<Reward> rewards = way.apply(eight);
    double seconds = (System.nanoTime() - start) / 1e9;
    return new Answer(seconds, rewards.stream().mapToDouble(Reward::reward).toArray(), null);
  }
}
