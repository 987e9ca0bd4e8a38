package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Tokenizers;
import dev.murmuration.engine.Deadline;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import dev.murmuration.model.TextRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Tokenizers of all families, converted and put on the reference's tensors: the metadata is that of
 * llama.cpp's converter, and llama.cpp gives the token ids that Hugging Face's tokenizers give.
 */
@Tag("native")
class FamilyTokensTest {
  private static final Path FAMILIES = Path.of("src/test/resources/families");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "llama3-rm, '', golden.jsonl, 21, 2048, right",
    "llama3-rm-sharded, '', golden.jsonl, 16, 2048, right",
    "grm-rm, '', golden.jsonl, 17, 2048, right",
    "qwen3-rm, '', golden.jsonl, 22, 2048, right",
    "qwen3-rm, vocab.json, golden.jsonl, 22, 2048, right",
    "qwen2-rm, '', golden.jsonl, 18, 2048, right",
    "qwen2-math-rm, '', golden.jsonl, 12, 2048, right",
    "starling34-rm, '', golden.jsonl, 18, 2048, left",
    "starling34-rm, NONE, golden-noprefix.jsonl, 18, 2048, left",
    "mistral-rm, '', golden.jsonl, 19, 512, left",
    "mistral-rm, tokenizer.model, golden.jsonl, 19, 512, left",
    "mistral-rm, tokenizer.json, golden.jsonl, 19, 512, left",
    "gemma2-rm, '', golden.jsonl, 20, 2048, right",
    "gemma2-rm, tokenizer.model, golden.jsonl, 20, 2048, right",
    "gemma2-rm, tokenizer.json, golden.jsonl, 20, 2048, right",
  })
  void goldenTokenIds(
      String family, String tokenizer, String golden, int count, int maxLength, String side)
      throws Exception {
    Path folder = FAMILIES.resolve(family);
    Path file = directory.resolve("model.gguf");
    Optional<SpacePrefix> prefix =
        tokenizer.equals("NONE") ? Optional.of(SpacePrefix.NONE) : Optional.empty();
    Map<String, GgufValue> metadata =
        Tokenizers.metadata(
            folder, prefix.isPresent() ? folder : folder.resolve(tokenizer), prefix);
    if (family.startsWith("mistral")) {
      metadata = new HashMap<>(metadata);
      metadata.put(RewardMetadata.REMOVE_BOS, GgufValue.bool(true));
    }
    write(
        GgufReader.read(folder.resolve("body-f32.reference.gguf")),
        metadata,
        side,
        tokenizer.isEmpty(),
        file);
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(folder.resolve(golden))) {
      rows.add(JSON.readTree(line));
    }
    assertThat(rows).hasSize(count);
    SoftAssertions all = new SoftAssertions();
    try (LlamaModel model = LlamaModel.load(file, ModelParameters.DEFAULT, null);
        TextEncoder encoder = encoder(model, GgufReader.read(file), maxLength)) {
      for (JsonNode row : rows) {
        all.assertThat(encoder.encode(input(row), CallOptions.defaults(), Deadline.NEVER).ids())
            .as(row.get("id").asText())
            .isEqualTo(JSON.convertValue(row.get("token_ids"), int[].class));
      }
    }
    all.assertAll();
  }

  private static TextEncoder encoder(LlamaModel model, Gguf gguf, int maxLength) throws Exception {
    return new TextEncoder(
        model.vocabulary(), TextRules.of(gguf), ChatTemplate.RAW, maxLength, true, false);
  }

  /** A template's text gets no second BOS, a raw text always gets one. */
  private static Input input(JsonNode row) {
    String text = row.path(row.has("rendered") ? "rendered" : "text").asText();
    return row.has("rendered")
        ? Input.of(text.substring(0, 1), text.substring(1))
        : Input.text(text);
  }

  /**
   * @param all whether all is compared: llama.cpp's converter knows none that tokenizer.model's
   *     user defined
   */
  private static void write(
      Gguf reference, Map<String, GgufValue> metadata, String side, boolean all, Path file)
      throws IOException {
    GgufWriter out = GgufWriter.copyOf(reference);
    for (String key : reference.metadata().keySet()) {
      if (key.startsWith("tokenizer.") && !key.equals("tokenizer.chat_template")) {
        if (all) {
          assertThat(metadata.get(key)).as(key).isEqualTo(reference.metadata().get(key));
        }
        out.removeMetadata(key);
      }
    }
    metadata.forEach(out::metadata);
    out.metadata(RewardMetadata.TRUNCATION_SIDE, GgufValue.text(side));
    out.write(file);
  }
}
