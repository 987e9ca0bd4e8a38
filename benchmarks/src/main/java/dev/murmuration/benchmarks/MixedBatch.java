package dev.murmuration.benchmarks;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/** 24 texts of 16 to 256 tokens that have nothing in common. Each call scores others. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 5, time = 1)
public class MixedBatch {
  private static final int COUNT = 24;
  private static final int SHORTEST = 16;
  private static final int LONGEST = 256;

  @Param("50M")
  String model;

  private final Texts texts = new Texts(1);
  private RewardModel rewardModel;

  @Setup
  public void load() throws IOException {
    rewardModel = RewardModel.load(Models.file(model), RewardModelOptions.defaults().reuse(false));
    List<String> mixed = mixed();
    Check.near("batch", oneByOne(mixed), rewardModel.scoreAll(Texts.inputs(mixed)));
  }

  @TearDown
  public void close() {
    rewardModel.close();
  }

  private List<String> mixed() {
    return texts.mixed(COUNT, SHORTEST, LONGEST);
  }

  /** Ours. */
  @Benchmark
  public List<Reward> scoreAll() {
    return rewardModel.scoreAll(Texts.inputs(mixed()));
  }

  /** The baseline: one call for each text. */
  @Benchmark
  public List<Reward> oneByOne() {
    return oneByOne(mixed());
  }

  private List<Reward> oneByOne(List<String> mixed) {
    List<Reward> rewards = new ArrayList<>();
    for (String text : mixed) {
      rewards.add(rewardModel.score(Input.text(text)));
    }
    return rewards;
  }
}
