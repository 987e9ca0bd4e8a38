package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.Environment;
import dev.murmuration.benchmarks.Models;
import dev.murmuration.benchmarks.Texts;
import dev.murmuration.benchmarks.comparison.Results.Measurement;
import dev.murmuration.benchmarks.comparison.Results.Task;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Prefill of one text by type of the weights and by length: this library with its kernels and with
 * llama.cpp's, and ik_llama.cpp. They take turns, there and back.
 */
public final class TypeComparison {
  private static final int BATCH = 2048;
  private static final int MICRO_BATCH = 512;

  private final Machine machine;
  private final int rounds;
  private final List<Measurement> measurements = new ArrayList<>();

  private TypeComparison(Machine machine, int rounds) {
    this.machine = machine;
    this.rounds = rounds;
  }

  /** {@code TypeComparison F16-MODEL FOLDER TYPE,TYPE… TOKENS,TOKENS… ROUNDS RESULTS.json}. */
  public static void main(String[] args) throws IOException {
    if (args.length != 6) {
      System.err.println(
          "usage: TypeComparison F16-MODEL FOLDER TYPE,TYPE… TOKENS,TOKENS… ROUNDS RESULTS.json");
      System.exit(2);
    }
    Path source = Models.half(args[0]);
    List<QuantizationType> types =
        Arrays.stream(args[2].split(",")).map(QuantizationType::of).toList();
    int[] lengths = Arrays.stream(args[3].split(",")).mapToInt(Integer::parseInt).toArray();
    int rounds = Integer.parseInt(args[4]);
    int threads = Runtime.getRuntime().availableProcessors();
    Environment environment = Environment.now();
    List<Results.Typed> all = new ArrayList<>();
    for (QuantizationType type : types) {
      Path file = Models.quantized(source, Path.of(args[1]), type);
      try (Machine machine = new Machine(System.getProperty("comparison.lock", ""))) {
        System.err.println(type);
        TypeComparison one = new TypeComparison(machine, rounds);
        one.run(new Settings(file, threads, BATCH, MICRO_BATCH), lengths);
        all.add(new Results.Typed(type.name(), Comparison.model(file), one.measurements));
      }
    }
    new Results.ByType(environment, threads, BATCH, MICRO_BATCH, rounds, all)
        .write(Path.of(args[5]));
    System.err.println("written: " + args[5]);
  }

  private void run(Settings settings, int[] lengths) throws IOException {
    RewardModelOptions options =
        RewardModelOptions.defaults()
            .threads(settings.threads())
            .batchSize(settings.batch())
            .microBatchSize(settings.microBatch())
            .reuse(false);
    List<LlamaBench> benches =
        LlamaBench.ofIk(System.getProperty("comparison.ik", ""), settings, Contenders.LOGS);
    try (RewardModel model = RewardModel.load(settings.model(), options);
        PeerProcess other = Contenders.otherKernels(settings)) {
      for (int tokens : lengths) {
        Texts texts = new Texts(tokens);
        machine.take();
        model.score(Input.text(texts.text(tokens)));
        other.seconds(texts.text(tokens));
        for (int round = 0; round < rounds; round++) {
          ours(model, texts, tokens);
          other(other, texts, tokens);
          // Its bound is for this length.
          if (tokens == MICRO_BATCH) {
            for (LlamaBench bench : benches) {
              machine.take();
              add(bench.name(), tokens, bench.prefill(tokens, 2));
            }
          }
          other(other, texts, tokens);
          ours(model, texts, tokens);
        }
      }
    }
  }

  private void ours(RewardModel model, Texts texts, int tokens) throws IOException {
    machine.take();
    String text = texts.text(tokens);
    long start = System.nanoTime();
    model.score(Input.text(text));
    add(Comparison.OURS, tokens, (System.nanoTime() - start) / 1e9);
  }

  private void other(PeerProcess other, Texts texts, int tokens) throws IOException {
    machine.take();
    add(Comparison.OTHER_KERNELS, tokens, other.seconds(texts.text(tokens)));
  }

  private void add(String contender, int tokens, double seconds) {
    System.err.printf("  %d tokens, %s: %.3f%n", tokens, contender, seconds);
    Measurement.add(measurements, Task.PREFILL, contender, tokens, seconds);
  }
}
