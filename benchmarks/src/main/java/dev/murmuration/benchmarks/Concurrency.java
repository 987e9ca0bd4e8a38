package dev.murmuration.benchmarks;

import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
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

/**
 * 64 texts of 16 to 96 tokens by several callers at once, each of whom asks for one after another,
 * beside one call for all of them. Each round scores others.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 5, time = 1)
public class Concurrency {
  @Param("50M")
  String model;

  private final Texts texts = new Texts(1);
  private RewardModel rewardModel;

  /** How many ask at once; apart from the model, because one call has no number of callers. */
  @State(Scope.Benchmark)
  public static class Load {
    @Param({"1", "2", "4", "8", "16", "32"})
    int callers;
  }

  @Setup
  public void load() throws IOException {
    rewardModel = RewardModel.load(Models.file(model), RewardModelOptions.defaults().reuse(false));
    List<String> mixed = Callers.texts(texts);
    Check.near(
        "concurrent",
        rewardModel.scoreAll(Texts.inputs(mixed)),
        Callers.score(rewardModel, 8, mixed).rewards());
  }

  @TearDown
  public void close() {
    rewardModel.close();
  }

  /** Ours, by callers at once. */
  @Benchmark
  public List<Reward> concurrent(Load load) {
    return Callers.score(rewardModel, load.callers, Callers.texts(texts)).rewards();
  }

  /** The baseline: one call. */
  @Benchmark
  public List<Reward> scoreAll() {
    return rewardModel.scoreAll(Texts.inputs(Callers.texts(texts)));
  }
}
