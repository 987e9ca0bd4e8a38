package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.tensors.NumberType;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What was converted here loads in llama.cpp, and gives the rewards that PyTorch computed. */
@Tag("native")
class ConvertedRewardsTest {
  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "F32, tokenizer.model, 5e-5",
    "F32, tokenizer.json, 5e-5",
    "F16, tokenizer.json, 2e-2"
  })
  void tinyRm(GgufTensorType type, String tokenizer, double tolerance) throws Exception {
    Path file = directory.resolve("tiny.gguf");
    Converter.of(Checkpoints.TINY)
        .type(type)
        .tokenizer(Checkpoints.TINY.resolve(tokenizer))
        .convert(file);
    assertRewards(file, TestModels.tinyGolden(), tolerance);
  }

  @Test
  void fledgling() throws Exception {
    Path file = directory.resolve("fledgling.gguf");
    Converter.of(Checkpoints.FLEDGLING).tokenizer(Checkpoints.TINY).convert(file);
    assertRewards(file, TestModels.fledglingGolden(), 2e-3);
  }

  @ParameterizedTest
  @CsvSource({"F32", "F16", "BF16", "Q8_0"})
  void groupedHeadsLoadInEveryType(GgufTensorType type) throws Exception {
    SmallModel.writeSurroundings(directory);
    CheckpointWriter.torch(
        directory.resolve("reward.pt"), SmallModel.tensors(NumberType.BF16, "model.model."));
    Path file = directory.resolve("small.gguf");
    Converter.of(directory).type(type).convert(file);
    try (RewardModel model = RewardModel.load(file)) {
      assertThat(model.score(Input.text("ABC")).reward()).isFinite();
    }
  }

  private static void assertRewards(Path file, List<Golden> golden, double tolerance)
      throws Exception {
    RewardModelOptions options = RewardModelOptions.defaults().precision(Precision.EXACT);
    try (RewardModel model = RewardModel.load(file, options)) {
      SoftAssertions all = new SoftAssertions();
      for (Golden row : golden) {
        all.assertThat(model.score(Input.text(row.text())).reward())
            .as(row.id())
            .isCloseTo(row.reward(), within(tolerance));
      }
      all.assertAll();
    }
  }
}
