package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.TestTexts;
import dev.murmuration.checkpoint.Quantizer;
import dev.murmuration.checkpoint.WideModel;
import dev.murmuration.llama.QuantizationType;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A text's reward does not depend on what is computed beside it or was computed before it: 200
 * texts alone, all at once, shuffled, with sharing and reuse on and off, with one thread and two.
 */
@Tag("native")
class BatchInvarianceTest {
  private static final List<String> TEXTS = TestTexts.bestOf(25, 8, 11);

  @TempDir Path directory;

  private Path model(String name) throws Exception {
    if (name.equals("tiny")) {
      return TestModels.TINY;
    }
    if (name.equals("fledgling")) {
      return TestModels.FLEDGLING;
    }
    Path wide = directory.resolve("wide.gguf");
    if (!Files.exists(wide)) {
      WideModel.write(wide);
    }
    Path quantized = directory.resolve(name + ".gguf");
    Quantizer.of(wide).type(QuantizationType.of(name)).quantize(quantized);
    return quantized;
  }

  /** Largest difference to the rewards of the texts scored alone. */
  private static double difference(Path model, Options options, List<String> texts)
      throws Exception {
    Map<String, Double> alone = new HashMap<>();
    double largest = 0;
    try (RewardModel plain = RewardModel.load(model, options.threads(1).reuse(false))) {
      for (String text : texts) {
        alone.put(text, plain.scoreText(text).reward());
      }
      largest = Math.max(largest, difference(alone, texts, plain.scoreAllTexts(texts)));
    }
    List<String> shuffled = new ArrayList<>(texts);
    Collections.shuffle(shuffled, new Random(5));
    try (RewardModel reusing = RewardModel.load(model, options.threads(2).microBatchSize(128))) {
      List<Reward> oneByOne = shuffled.stream().map(reusing::scoreText).toList();
      largest = Math.max(largest, difference(alone, shuffled, oneByOne));
    }
    try (RewardModel reusing = RewardModel.load(model, options.threads(2))) {
      List<String> some = shuffled.subList(0, texts.size() / 3);
      largest = Math.max(largest, difference(alone, some, reusing.scoreAllTexts(some)));
      largest = Math.max(largest, difference(alone, texts, reusing.scoreAllTexts(texts)));
    }
    return largest;
  }

  private static double difference(
      Map<String, Double> alone, List<String> texts, List<Reward> rewards) {
    double largest = 0;
    for (int i = 0; i < texts.size(); i++) {
      largest = Math.max(largest, Math.abs(rewards.get(i).reward() - alone.get(texts.get(i))));
    }
    return largest;
  }

  @ParameterizedTest
  @CsvSource({"tiny", "fledgling"})
  void exactGivesTheSameBits(String model) throws Exception {
    assertThat(difference(model(model), Options.defaults().precision(Precision.EXACT), TEXTS))
        .isZero();
  }

  @ParameterizedTest
  @CsvSource({"Q8_0", "Q6_K", "Q4_K_M", "Q4_K_8", "Q4_0", "IQ4_NL", "BF16"})
  void exactGivesTheSameBitsWhateverTheWeightsAreStoredAs(String type) throws Exception {
    List<String> some = TestTexts.bestOf(4, 6, 12);
    assertThat(difference(model(type), Options.defaults().precision(Precision.EXACT), some))
        .isZero();
  }

  @ParameterizedTest
  @CsvSource({"tiny, 1e-2", "fledgling, 1.6e-2"})
  void fastStaysWithinTheBoundOfTheReadme(String model, double bound) throws Exception {
    assertThat(difference(model(model), Options.defaults(), TEXTS)).isCloseTo(0, within(bound));
  }
}
