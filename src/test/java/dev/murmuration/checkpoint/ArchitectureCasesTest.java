package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Checkpoints whose config.json says something special of the architecture. */
@Tag("native")
class ArchitectureCasesTest {
  private static final Path CASES = Path.of("src/test/resources/cases");

  @TempDir Path directory;

  private Path convert(String name) throws Exception {
    Path file = directory.resolve(name + ".gguf");
    Converter.of(CASES.resolve(name)).type(GgufTensorType.F32).convert(file);
    return file;
  }

  @ParameterizedTest
  @ValueSource(strings = {"mistral", "rope-dynamic"})
  void theRewardsOfPyTorch(String name) throws Exception {
    JsonNode expected =
        new ObjectMapper().readTree(CASES.resolve(name).resolve("expected.json").toFile());
    RewardModelOptions options = RewardModelOptions.defaults().precision(Precision.EXACT);
    try (RewardModel model = RewardModel.load(convert(name), options)) {
      for (JsonNode row : expected.path("rewards")) {
        String text = row.path("text").asText();
        assertThat(model.score(Input.text(text)).reward())
            .as(text)
            .isCloseTo(row.path("reward").asDouble(), within(5e-5));
      }
    }
  }

  @Test
  void theDivisorsOfLlama3AreATensor() throws Exception {
    assertThat(GgufReader.read(convert("rope-llama3")).tensor("rope_freqs.weight")).isPresent();
  }
}
