package dev.murmuration.benchmarks;

import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.reward.ScoringSession;
import java.io.IOException;
import java.nio.file.Path;
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

/** An edit of the last 10 of 400 tokens, in a session and without one. Each call edits anew. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 5, time = 1)
public class SessionEdit {
  @Param("50M")
  String model;

  private final EditedText text = new EditedText(1);
  private RewardModel sessionModel;
  private RewardModel freshModel;
  private ScoringSession session;

  @Setup
  public void load() throws IOException {
    Path file = Models.file(model);
    sessionModel = RewardModel.load(file);
    freshModel = RewardModel.load(file, RewardModelOptions.defaults().reuse(false));
    session = sessionModel.session().prompt(text.prompt());
    for (int i = 0; i < 3; i++) {
      String response = text.edit();
      Check.equal("tokens", EditedText.TOKENS, freshModel.score(text.prompt(), response).tokens());
      Check.near(
          "edit",
          freshModel.score(text.prompt(), response).reward(),
          session.score(response).reward(),
          Check.TOLERANCE);
    }
  }

  @TearDown
  public void close() {
    sessionModel.close();
    freshModel.close();
  }

  /** Ours. */
  @Benchmark
  public double edit() {
    return session.score(text.edit()).reward();
  }

  /** The baseline: the whole text. */
  @Benchmark
  public double fullScore() {
    return freshModel.score(text.prompt(), text.edit()).reward();
  }
}
