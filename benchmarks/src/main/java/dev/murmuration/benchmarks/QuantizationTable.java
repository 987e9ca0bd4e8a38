package dev.murmuration.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.reward.Options;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * Speed and reward drift of quantization types against the float16 file that they are made from.
 *
 * <p>Speed: prefill of a text of 512 tokens, the median of several rounds; all types take turns in
 * each round, so that a slow moment of the machine hits all of them. Drift: root mean square of the
 * differences between the rewards of some texts, as a share of the rewards' standard deviation.
 * Order: of all pairs of texts the share that has the same order. Only a trained model's drift and
 * order are those that a user meets: random weights exaggerate them many times.
 */
public final class QuantizationTable {
  private static final int TOKENS = 512;
  private static final int ROUNDS = 5;
  private static final int TEXTS = 24;

  private QuantizationTable() {}

  /**
   * {@code QuantizationTable F16.gguf FOLDER TEXTS.jsonl TYPE…}; for {@code -} random texts. Each
   * line of the file has a {@code text}.
   */
  public static void main(String[] args) throws IOException {
    Path source = Path.of(args[0]);
    Path folder = Path.of(args[1]);
    List<String> texts = texts(args[2]);
    List<QuantizationType> types = Arrays.stream(args).skip(3).map(QuantizationType::of).toList();
    List<Path> files = new ArrayList<>();
    for (QuantizationType type : types) {
      files.add(Models.quantized(source, folder, type));
    }
    double[][] seconds = new double[types.size()][ROUNDS];
    for (int round = 0; round < ROUNDS; round++) {
      for (int i = 0; i < types.size(); i++) {
        seconds[i][round] = prefill(files.get(i), round);
      }
    }
    double[] expected = rewards(source, texts);
    System.out.println("| type | bits a weight | tokens/s | of the first | drift | order |");
    System.out.println("|---|---|---|---|---|---|");
    for (int i = 0; i < types.size(); i++) {
      double[] rewards = rewards(files.get(i), texts);
      System.out.printf(
          Locale.ROOT,
          "| %s | %.2f | %.1f | %.2f | %.2f %% | %.2f %% |%n",
          types.get(i),
          16.0 * Files.size(files.get(i)) / Files.size(source),
          TOKENS / median(seconds[i]),
          median(seconds[0]) / median(seconds[i]),
          100 * drift(expected, rewards),
          100 * order(expected, rewards));
    }
  }

  private static List<String> texts(String file) throws IOException {
    if (file.equals("-")) {
      return new Texts(1).mixed(TEXTS, 20, 60);
    }
    ObjectMapper json = new ObjectMapper();
    List<String> texts = new ArrayList<>();
    for (String line : Files.readAllLines(Path.of(file))) {
      texts.add(json.readTree(line).get("text").asText());
    }
    return texts;
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

  private static double[] rewards(Path file, List<String> texts) throws IOException {
    try (RewardModel model = RewardModel.load(file, Options.defaults())) {
      return model.scoreAllTexts(texts).stream().mapToDouble(r -> r.reward()).toArray();
    }
  }

  private static double drift(double[] expected, double[] rewards) {
    double square =
        IntStream.range(0, rewards.length)
            .mapToDouble(i -> Math.pow(rewards[i] - expected[i], 2))
            .average()
            .orElseThrow();
    return Math.sqrt(square) / deviation(expected);
  }

  private static double order(double[] expected, double[] rewards) {
    return IntStream.range(0, rewards.length)
        .boxed()
        .flatMapToInt(
            i ->
                IntStream.range(0, i)
                    .map(j -> rewards[i] > rewards[j] == expected[i] > expected[j] ? 1 : 0))
        .average()
        .orElseThrow();
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
