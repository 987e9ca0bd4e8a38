package dev.murmuration.benchmarks;

import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
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

/**
 * A score by the length of the text, beside llama.cpp's decode of the same text on the calling
 * thread, read out as ours and in llama.cpp's own way. Each call scores another text.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(1)
@Warmup(iterations = 1, time = 1)
@Measurement(iterations = 5, time = 1)
public class SingleScore {
  @Param("50M")
  String model;

  @Param({"64", "512", "2048"})
  int tokens;

  private final Texts texts = new Texts(1);
  private RewardModel rewardModel;
  private PlainDecode pruned;
  private PlainDecode embeddings;

  @Setup
  public void load() throws IOException {
    Path file = Models.file(model);
    int threads = Runtime.getRuntime().availableProcessors();
    rewardModel = RewardModel.load(file, RewardModelOptions.defaults().reuse(false));
    pruned = new PlainDecode(file, threads, Readout.PRUNED);
    embeddings = new PlainDecode(file, threads, Readout.EMBEDDINGS);

    String text = texts.text(tokens);
    Check.equal("tokens", tokens, pruned.tokenize(text).length);
    double expected = embeddings.reward(text);
    Check.near("reward", expected, rewardModel.score(Input.text(text)).reward(), Check.TOLERANCE);
    Check.near("pruned reward", expected, pruned.reward(text), Check.TOLERANCE);
  }

  @TearDown
  public void close() {
    embeddings.close();
    pruned.close();
    rewardModel.close();
  }

  /** The whole call. */
  @Benchmark
  public double score() {
    return rewardModel.score(Input.text(texts.text(tokens))).reward();
  }

  /** The baseline: tokenizer, decode and dot product. */
  @Benchmark
  public double decode() {
    return pruned.reward(texts.text(tokens));
  }

  /** The same as llama.cpp means it: {@code embeddings = true}, every token to the end. */
  @Benchmark
  public double decodeEmbeddings() {
    return embeddings.reward(texts.text(tokens));
  }
}
