package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Conversion;
import dev.murmuration.checkpoint.Converter;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.model.SpacePrefix;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Tokenizers of odd kinds: a conversion gives the rewards that PyTorch computed. */
@Tag("native")
class TokenizerCasesTest {
  private static final Path CASES = Path.of("src/test/resources/cases");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @ParameterizedTest
  @ValueSource(
      strings = {
        "tok-add-bos-false",
        "tok-json-metaspace-first",
        "tok-no-dummy-prefix",
        "tok-remove-extra-whitespaces",
        "tok-user-defined"
      })
  void rewardsAreThoseOfTheFiles(String name) throws Exception {
    check(name, Converter.of(CASES.resolve(name)));
  }

  @Test
  void legacyFalseIsWarnedOfAndCanBeChosen() throws Exception {
    Converter converter = Converter.of(CASES.resolve("tok-legacy-false"));
    assertThat(converter.plan().decisions())
        .filteredOn(one -> one.warning() && one.subject().equals("blanks"))
        .singleElement()
        .satisfies(
            decision ->
                assertThat(decision.reason())
                    .contains("legacy", "transformers 5", "\"</s>Hi\"", "spacePrefix(FIRST)"));
    check("tok-legacy-false", converter.spacePrefix(SpacePrefix.FIRST));
  }

  private void check(String name, Converter converter) throws Exception {
    Path file = directory.resolve("model.gguf");
    Conversion _ = converter.type(GgufTensorType.F32).convert(file);
    JsonNode expected = JSON.readTree(CASES.resolve(name).resolve("expected.json").toFile());
    assertThat(expected.get("rewards")).isNotEmpty();
    try (RewardModel model =
        RewardModel.load(file, RewardModelOptions.defaults().precision(Precision.EXACT))) {
      for (JsonNode row : expected.get("rewards")) {
        String text = row.get("text").asText();
        assertThat(model.score(Input.text(text)).reward())
            .as(text)
            .isCloseTo(row.get("reward").asDouble(), within(5e-5));
      }
    }
  }
}
