package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Families;
import dev.murmuration.llama.Llama;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rewards of golden token ids, with bodies of each architecture that were converted here. */
@Tag("native")
class FamilyRewardsTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Two families have networks for heads, which these bodies are without. */
  private static final List<String> LINEAR =
      List.of(
          "llama3-rm",
          "llama3-rm-sharded",
          "starling34-rm",
          "mistral-rm",
          "qwen2-rm",
          "qwen3-rm",
          "gemma2-rm");

  @TempDir static Path directory;

  /** A text and its reward at the last token, as PyTorch computed it. */
  private record Row(String id, TokenIds tokens, double reward) {}

  static Stream<String> families() {
    return LINEAR.stream();
  }

  private static List<Row> rows(String family) throws IOException {
    return Files.readAllLines(Families.FOLDER.resolve(family).resolve("golden.jsonl")).stream()
        .map(FamilyRewardsTest::row)
        .toList();
  }

  private static Row row(String line) {
    try {
      JsonNode row = JSON.readTree(line);
      int[] ids = JSON.convertValue(row.get("token_ids"), int[].class);
      return new Row(row.get("id").asText(), Input.tokens(ids), row.get("reward").asDouble());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static Path file(String family) throws IOException {
    Path file = directory.resolve(family + ".gguf");
    return Files.exists(file) ? file : Families.gguf(family, directory);
  }

  private static double tolerance(String family, Precision precision) {
    if (precision == Precision.FAST) {
      return 5e-3;
    }
    return family.equals("gemma2-rm") ? 1e-3 : 5e-5; // Gemma's GELU is a table of float16 values.
  }

  /** Where llama.cpp's own kernels compute, {@code fast} depends on what lies beside. */
  private static boolean isRepeatable(Precision precision) {
    return precision == Precision.EXACT || !Llama.kernels().isEmpty();
  }

  private static RewardModelOptions options(Precision precision) {
    return RewardModelOptions.defaults()
        .readout(Readout.LAST_TOKEN)
        .precision(precision)
        .contextLength(2048);
  }

  @ParameterizedTest
  @MethodSource("families")
  void everyRowInBothPrecisionsAndWithTheSameBitsWhateverWasScoredBefore(String family)
      throws IOException {
    List<Row> rows = rows(family);
    for (Precision precision : List.of(Precision.EXACT, Precision.FAST)) {
      List<Double> alone = new ArrayList<>();
      try (RewardModel model = RewardModel.load(file(family), options(precision).reuse(false))) {
        for (Row row : rows) {
          double reward = model.score(row.tokens()).reward();
          assertThat(reward)
              .as(row.id() + " " + precision)
              .isCloseTo(row.reward(), within(tolerance(family, precision)));
          alone.add(reward);
        }
      }
      if (!isRepeatable(precision)) {
        continue;
      }
      try (RewardModel model = RewardModel.load(file(family), options(precision))) {
        List<Double> oneByOne = new ArrayList<>();
        rows.forEach(row -> oneByOne.add(model.score(row.tokens()).reward()));
        assertThat(oneByOne).as("one after another, " + precision).isEqualTo(alone);
        List<Double> together =
            model.scoreAll(rows.stream().map(Row::tokens).toList()).stream()
                .map(Reward::reward)
                .toList();
        assertThat(together).as("together, " + precision).isEqualTo(alone);
      }
    }
  }
}
