package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.checkpoint.Converter;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every family survives being quantized: it loads, its head is the same, and rewards keep near. */
@Tag("native")
class QuantizedFamiliesTest {
  private static final Path FAMILIES = Path.of("src/test/resources/families");
  private static final List<String> RESPONSES = List.of("Hi, how can I help you?", "Go away.", "");

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "llama3-rm",
        "grm-rm",
        "qwen3-rm",
        "qwen2-math-rm",
        "starling34-rm",
        "mistral-rm",
        "gemma2-rm"
      })
  void quantized(String family) throws Exception {
    Path whole = directory.resolve("f16.gguf");
    Converter.of(FAMILIES.resolve(family)).convert(whole);
    List<Double> before = rewards(whole);
    for (String type : List.of("Q8_0", "Q4_K_M")) {
      Path small = directory.resolve(type + ".gguf");
      Quantizer.of(whole).type(QuantizationType.of(type)).quantize(small);
      assertThat(own(small)).hasSizeGreaterThan(3).isEqualTo(own(whole));
      List<Double> after = rewards(small);
      for (int i = 0; i < after.size(); i++) {
        // Random weights in which everything matters; the rewards of a family spread by more than
        // 1.
        assertThat(Math.abs(after.get(i) - before.get(i)))
            .as(family + " " + type)
            .isLessThan(type.equals("Q8_0") ? 0.2 : 2);
      }
    }
  }

  /** What is ours of a file's metadata: head, template, read-out … */
  private static Map<String, GgufValue> own(Path file) throws Exception {
    Map<String, GgufValue> own = new TreeMap<>(GgufReader.read(file).metadata());
    own.keySet().removeIf(key -> !key.startsWith("reward_model."));
    return own;
  }

  private static List<Double> rewards(Path file) throws Exception {
    try (RewardModel model = RewardModel.load(file)) {
      List<Double> rewards = new ArrayList<>();
      for (String response : RESPONSES) {
        rewards.add(model.score("Hello?", response).reward());
      }
      return rewards;
    }
  }
}
