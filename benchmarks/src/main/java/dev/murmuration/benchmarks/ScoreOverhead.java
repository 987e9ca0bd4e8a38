package dev.murmuration.benchmarks;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
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
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What a score of 20 tokens costs besides llama.cpp: {@link #score} less {@link
 * #tokenizeAndDecode}.
 *
 * <p>The smallest model and one thread, so that the computation is short and steady, and the rest
 * shows.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 5, time = 1)
@Measurement(iterations = 5, time = 1)
public class ScoreOverhead {
  private static final Path MODEL = Path.of("src/test/resources/models/tiny-rm-f32.gguf");
  private static final String PROMPT = "Hello, friend?";
  private static final String RESPONSE = "Hi, how can I help you?";
  private static final String TEXT = "[INST] " + PROMPT + " [/INST] " + RESPONSE;
  private static final int TOKENS = 20;

  private RewardModel rewardModel;
  private LlamaModel model;
  private LlamaContext context;

  @Setup
  public void load() throws IOException {
    rewardModel = RewardModel.load(MODEL, RewardModelOptions.defaults().threads(1).reuse(false));
    model = LlamaModel.load(MODEL, ModelParameters.DEFAULT, null);
    context =
        new LlamaContext(
            model, new ContextParameters(2048, 2048, 512, 1, 256, 1, true, true, Readout.PRUNED));
    int tokens = rewardModel.score(PROMPT, RESPONSE).tokens();
    if (tokens != TOKENS || tokenizeAndDecode().length != 4 * model.hiddenSize()) {
      throw new IllegalStateException("the text has " + tokens + " tokens, not " + TOKENS);
    }
  }

  @TearDown
  public void close() {
    context.close();
    model.close();
    rewardModel.close();
  }

  /** The whole call: template, tokenizer, queue, other thread, decode, head, result. */
  @Benchmark
  public double score() {
    return rewardModel.score(PROMPT, RESPONSE).reward();
  }

  /** The baseline: llama_tokenize and llama_decode of the same text, on the calling thread. */
  @Benchmark
  public float[] tokenizeAndDecode() {
    int[] tokens = model.vocabulary().tokenize(TEXT);
    context.clear();
    for (int i = 0; i < tokens.length; i++) {
      context.add(tokens[i], i >= tokens.length - 4, 0);
    }
    return context.decode();
  }
}
