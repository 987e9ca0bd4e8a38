package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import java.nio.file.Path;
import java.util.List;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Rewards and token ids against those of PyTorch and the Hugging Face tokenizer. */
@Tag("native")
class GoldenRewardsTest {
  @Test
  void tokenIdsEqualTheHuggingFaceTokenizers() {
    try (LlamaModel model = LlamaModel.load(TestModels.TINY, ModelParameters.DEFAULT, null)) {
      SoftAssertions all = new SoftAssertions();
      for (Golden row : TestModels.tinyGolden()) {
        int[] ids = model.vocabulary().tokenize(row.text());
        int length = row.tokenIds().length;
        int[] kept = java.util.Arrays.copyOfRange(ids, ids.length - length, ids.length);
        kept[0] = ids[0]; // Truncation keeps BOS.
        all.assertThat(kept).as(row.id()).isEqualTo(row.tokenIds());
      }
      all.assertAll();
    }
  }

  @ParameterizedTest(name = "tiny-rm f32, {0}, {1}: within {2}")
  @CsvSource({
    "EXACT, PRUNED, 5e-5",
    "EXACT, EMBEDDINGS, 5e-5",
    "FAST, PRUNED, 5e-3",
    "FAST, EMBEDDINGS, 5e-3"
  })
  void tinyRm(Precision precision, Readout readout, double tolerance) throws Exception {
    check(TestModels.TINY, TestModels.tinyGolden(), 28, precision, readout, tolerance);
  }

  @ParameterizedTest(name = "fledgling f16, {0}, {1}: within {2}")
  @CsvSource({
    "EXACT, PRUNED, 2e-3",
    "EXACT, EMBEDDINGS, 2e-3",
    "FAST, PRUNED, 1e-2",
    "FAST, EMBEDDINGS, 1e-2"
  })
  void fledgling(Precision precision, Readout readout, double tolerance) throws Exception {
    check(TestModels.FLEDGLING, TestModels.fledglingGolden(), 100, precision, readout, tolerance);
  }

  private static void check(
      Path file,
      List<Golden> golden,
      int rows,
      Precision precision,
      Readout readout,
      double tolerance)
      throws Exception {
    assertThat(golden).hasSize(rows);
    try (RewardModel model =
        RewardModel.load(
            file,
            RewardModelOptions.defaults()
                .precision(precision)
                .everyOutput(readout == Readout.EMBEDDINGS))) {
      SoftAssertions all = new SoftAssertions();
      for (Golden row : golden) {
        Reward reward = model.score(Input.text(row.text()));
        all.assertThat(reward.reward()).as(row.id()).isCloseTo(row.reward(), within(tolerance));
        all.assertThat(reward.tokens()).as(row.id()).isEqualTo(row.tokenIds().length);
        all.assertThat(reward.readoutTokenId())
            .as(row.id())
            .isEqualTo(row.tokenIds()[row.tokenIds().length - 1]);
      }
      all.assertAll();
    }
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource({"EXACT", "FAST"})
  void bothReadOutsGiveTheSameReward(Precision precision) throws Exception {
    RewardModelOptions options = RewardModelOptions.defaults().precision(precision);
    try (RewardModel pruned = RewardModel.load(TestModels.TINY, options);
        RewardModel plain = RewardModel.load(TestModels.TINY, options.everyOutput(true))) {
      for (Golden row : TestModels.tinyGolden()) {
        // The last layer's matrices are multiplied with 4 rows in one and with all in the other:
        // float32 sums of 192
        // terms near 1, so a few units of 2^-24 each.
        assertThat(pruned.score(Input.text(row.text())).reward())
            .as(row.id())
            .isCloseTo(plain.score(Input.text(row.text())).reward(), within(2e-5));
      }
    }
  }
}
