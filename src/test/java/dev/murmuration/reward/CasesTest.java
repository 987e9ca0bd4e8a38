package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Converter;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.model.ModelFile;
import dev.murmuration.quantize.Quantizer;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Small checkpoints as they lie about: the rewards that PyTorch computed, or a refusal. */
@Tag("native")
class CasesTest {
  private static final Path CASES = Path.of("src/test/resources/cases");
  private static final RewardModelOptions EXACT =
      RewardModelOptions.defaults()
          .precision(Precision.EXACT)
          .template(ChatTemplate.RAW)
          .threads(1);

  @TempDir Path directory;

  private static void assertRewards(Path gguf, RewardModelOptions options, String folder)
      throws IOException {
    JsonNode expected =
        new ObjectMapper().readTree(CASES.resolve(folder).resolve("expected.json").toFile());
    assertThat(expected.path("rewards").size()).isPositive();
    try (RewardModel model = RewardModel.load(gguf, options)) {
      for (JsonNode row : expected.path("rewards")) {
        assertThat(model.score(Input.text(row.path("text").textValue())).reward())
            .as(row.path("text").textValue())
            .isCloseTo(row.path("reward").doubleValue(), within(5e-5));
      }
    }
  }

  private Path convert(Converter converter) throws IOException {
    Path output = directory.resolve("out.gguf");
    converter.type(GgufTensorType.F32).force(true).convert(output);
    return output;
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "config-nan",
        "head-regression_head",
        "head-score-bias",
        "head-score_head",
        "head-trl",
        "index-lists-absent-lm-head",
        "nested-state-dict",
        "prefix-base_model",
        "prefix-module",
        "tied-only-lm-head"
      })
  void aCheckpointGivesTheseRewards(String folder) throws IOException {
    assertRewards(convert(Converter.of(CASES.resolve(folder))), EXACT, folder);
  }

  @ParameterizedTest
  @CsvSource({
    "fp8-torch, float8 weights, take the bf16 checkpoint",
    "head-two-labels, a classifier of 2 labels, headRow(N)",
    "lfs-pointer-safetensors, Git LFS pointer, git lfs pull",
    "peft-adapter, LoRA adapter for the base model \"some/base\", merge"
  })
  void aCheckpointIsRefused(String folder, String reason, String remedy) {
    assertThatThrownBy(() -> convert(Converter.of(CASES.resolve(folder))))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining(folder)
        .hasMessageContaining(reason)
        .hasMessageContaining(remedy)
        .hasMessageNotContaining("unless you trust");
  }

  @Test
  void aHeadThatIsATensorOfTheGgufIsTaken() throws IOException {
    assertRewards(CASES.resolve("gguf-cls-output/g-cls2.gguf"), EXACT, "gguf-cls-output");
  }

  @Test
  void aHeadThatIsATensorSurvivesQuantizing() throws IOException {
    Path input = CASES.resolve("gguf-cls-output/g-cls2.gguf");
    Path output = directory.resolve("q8.gguf");
    Quantizer.of(input).type(QuantizationType.Q8_0).threads(1).quantize(output);
    Gguf before = GgufReader.read(input);
    Gguf after = GgufReader.read(output);
    assertThat(after.tensor("cls.output.weight").orElseThrow().type())
        .isEqualTo(GgufTensorType.F32);
    assertThat(after.tensor("blk.0.ffn_up.weight").orElseThrow().type())
        .isEqualTo(GgufTensorType.Q8_0);
    float[] state = new float[32];
    state[7] = 1;
    assertThat(ModelFile.of(after).requireHead().reward(state, 0))
        .isEqualTo(ModelFile.of(before).requireHead().reward(state, 0))
        .isNotZero();
  }

  @Test
  void theBiasInTheFileOfAValueHeadCounts() throws IOException {
    Path folder = CASES.resolve("value-head-bias-ignored");
    assertRewards(
        folder.resolve("g-bare.gguf"),
        EXACT.valueHead(folder.resolve("head-bias.safetensors")),
        "value-head-bias-ignored");
  }
}
