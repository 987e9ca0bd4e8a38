package dev.murmuration.benchmarks;

import dev.murmuration.reward.Ranking;
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

/**
 * The best of eight responses to a prompt: 2992 tokens, of which 1557 are distinct. Each call ranks
 * others.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 5, time = 1)
public class BestOfEight {
  @Param("50M")
  String model;

  private final Texts texts = new Texts(1);
  private RewardModel rewardModel;

  @Setup
  public void load() throws IOException {
    rewardModel = RewardModel.load(Models.file(model), RewardModelOptions.defaults().reuse(false));
    Texts.BestOf eight = texts.bestOf8();
    List<Reward> expected = oneByOne(eight);
    Check.equal("tokens", Texts.bestOf8Tokens(), expected.stream().mapToInt(Reward::tokens).sum());
    Check.near("scoreAll", expected, rewardModel.scoreAll(eight.conversations()));
    double best = expected.stream().mapToDouble(Reward::reward).max().orElseThrow();
    Check.near("rank", best, rank(eight).best().reward().reward(), Check.TOLERANCE);
  }

  @TearDown
  public void close() {
    rewardModel.close();
  }

  /** Ours. */
  @Benchmark
  public Ranking rank() {
    return rank(texts.bestOf8());
  }

  /** The same without the ranking. */
  @Benchmark
  public List<Reward> scoreAll() {
    return rewardModel.scoreAll(texts.bestOf8().conversations());
  }

  /** The baseline: one call for each response. */
  @Benchmark
  public List<Reward> oneByOne() {
    return oneByOne(texts.bestOf8());
  }

  private Ranking rank(Texts.BestOf eight) {
    return rewardModel.rank(eight.prompt(), eight.responses());
  }

  private List<Reward> oneByOne(Texts.BestOf eight) {
    List<Reward> rewards = new ArrayList<>();
    for (String response : eight.responses()) {
      rewards.add(rewardModel.score(eight.prompt(), response));
    }
    return rewards;
  }
}
