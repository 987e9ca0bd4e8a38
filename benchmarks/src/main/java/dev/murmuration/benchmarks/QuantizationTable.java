package dev.murmuration.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * How far the rewards of quantization types are from those of the float16 file that they are made
 * from. {@code TypeComparison} has their speed.
 *
 * <p>Drift: root mean square of the differences, as a share of the rewards' standard deviation.
 * Order: of all pairs of texts the share that has the same order. Only a trained model's are those
 * that a user meets: random weights exaggerate them many times.
 */
public final class QuantizationTable {
  private static final int TEXTS = 100;

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
    double[] expected = rewards(source, texts);
    System.out.println("| type | bits a weight | drift | order |");
    System.out.println("|---|---|---|---|");
    for (QuantizationType type : types) {
      Path file = Models.quantized(source, folder, type);
      double[] rewards = rewards(file, texts);
      System.out.printf(
          Locale.ROOT,
          "| %s | %.2f | %.2f %% | %.2f %% |%n",
          type,
          16.0 * Files.size(file) / Files.size(source),
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

  private static double[] rewards(Path file, List<String> texts) throws IOException {
    try (RewardModel model = RewardModel.load(file, RewardModelOptions.defaults())) {
      return model.scoreAll(Texts.inputs(texts)).stream().mapToDouble(r -> r.reward()).toArray();
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
}
