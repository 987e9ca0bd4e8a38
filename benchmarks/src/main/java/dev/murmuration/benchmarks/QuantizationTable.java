package dev.murmuration.benchmarks;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.ModelFile;
import dev.murmuration.llama.NativeQuantizer;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.reward.Options;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.stream.Collectors;

/**
 * Speed and reward drift of quantization types against the float16 file that they are made from.
 *
 * <p>Speed: prefill of a text of 512 tokens, the median of several rounds; all types take turns in
 * each round, so that a slow moment of the machine hits all of them. Drift: root mean square of the
 * differences between the rewards of random texts, as a share of the rewards' standard deviation;
 * the weights are random, which exaggerates it, so that only the comparison counts.
 */
public final class QuantizationTable {
  private static final int TOKENS = 512;
  private static final int ROUNDS = 5;
  private static final int TEXTS = 24;

  private QuantizationTable() {}

  /** {@code QuantizationTable F16.gguf FOLDER TYPE…}. */
  public static void main(String[] args) throws IOException {
    Path source = Path.of(args[0]);
    Path folder = Path.of(args[1]);
    List<QuantizationType> types =
        Arrays.stream(args).skip(2).map(QuantizationType::of).collect(Collectors.toList());
    int layers = LlamaHyperparameters.validate(Gguf.read(source)).layers();
    int threads = Runtime.getRuntime().availableProcessors();
    for (QuantizationType type : types) {
      Path file = file(folder, source, type);
      if (!Files.exists(file)) {
        System.err.println("making " + file);
        try (ModelFile opened = ModelFile.open(source)) {
          NativeQuantizer.quantize(opened, file, type, layers, threads, false, (done, total) -> {});
        }
      }
    }
    double[] expected = rewards(source);
    double deviation = deviation(expected);
    double[][] seconds = new double[types.size()][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < types.size(); i++) {
        seconds[i][round] = prefill(file(folder, source, types.get(i)), round);
      }
    }
    System.out.println("| type | bits a weight | tokens/s | of F16 | drift |");
    System.out.println("|---|---|---|---|---|");
    double reference = TOKENS / median(seconds[types.indexOf(QuantizationType.F16)]);
    for (int i = 0; i < types.size(); i++) {
      Path file = file(folder, source, types.get(i));
      double[] rewards = rewards(file);
      double square = 0;
      for (int j = 0; j < rewards.length; j++) {
        square += Math.pow(rewards[j] - expected[j], 2);
      }
      double speed = TOKENS / median(seconds[i]);
      System.out.printf(
          Locale.ROOT,
          "| %s | %.2f | %.1f | %.2f | %.1f %% |%n",
          types.get(i),
          16.0 * Files.size(file) / Files.size(source),
          speed,
          speed / reference,
          100 * Math.sqrt(square / rewards.length) / deviation);
    }
  }

  private static Path file(Path folder, Path source, QuantizationType type) {
    return type == QuantizationType.F16 ? source : folder.resolve(type + ".gguf");
  }

  private static double prefill(Path file, int seed) throws IOException {
    Texts texts = new Texts(seed);
    try (RewardModel model = RewardModel.load(file, Options.defaults().reuse(false))) {
      Check.equal("tokens", TOKENS, model.scoreText(texts.text(TOKENS)).tokens());
      String text = texts.text(TOKENS);
      long start = System.nanoTime();
      model.scoreText(text);
      return (System.nanoTime() - start) / 1e9;
    }
  }

  private static double[] rewards(Path file) throws IOException {
    String[] words = {" all", " time", " one", " good", " people", " from", " life", " her"};
    Random random = new Random(1);
    List<String> texts =
        random
            .ints(TEXTS, 20, 60)
            .mapToObj(
                length ->
                    random
                        .ints(length, 0, words.length)
                        .mapToObj(i -> words[i])
                        .collect(Collectors.joining()))
            .toList();
    try (RewardModel model = RewardModel.load(file, Options.defaults())) {
      return model.scoreAllTexts(texts).stream().mapToDouble(r -> r.reward()).toArray();
    }
  }

  private static double deviation(double[] values) {
    double mean = Arrays.stream(values).average().orElseThrow();
    return Math.sqrt(
        Arrays.stream(values).map(v -> (v - mean) * (v - mean)).average().orElseThrow());
  }

  private static double median(double[] values) {
    double[] sorted = values.clone();
    Arrays.sort(sorted);
    return sorted[sorted.length / 2];
  }
}
