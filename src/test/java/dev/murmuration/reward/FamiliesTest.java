package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Converter;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.model.SpacePrefix;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import org.assertj.core.api.SoftAssertions;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * From a checkpoint's folder alone to rewards: the text that a conversation becomes, its token ids
 * and its reward are those of PyTorch and transformers, family by family.
 */
@Tag("native")
class FamiliesTest {
  private static final Path FAMILIES = Path.of("src/test/resources/families");
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({
    "llama3-rm, golden.jsonl, 21, 5e-5",
    "llama3-rm-sharded, golden.jsonl, 16, 5e-5",
    "grm-rm, golden.jsonl, 17, 5e-5",
    "qwen3-rm, golden.jsonl, 22, 5e-5",
    "qwen2-rm, golden.jsonl, 18, 5e-5",
    "qwen2-math-rm, golden.jsonl, 12, 5e-5",
    "starling34-rm, golden.jsonl, 18, 5e-5",
    "mistral-rm, golden.jsonl, 19, 5e-5",
    "gemma2-rm, golden.jsonl, 20, 1e-3"
  })
  void goldenRows(String family, String golden, int count, double tolerance) throws Exception {
    Path checkpoint = FAMILIES.resolve(family);
    Path file = directory.resolve(family + ".gguf");
    Converter.of(checkpoint).type(GgufTensorType.F32).convert(file);
    check(file, checkpoint.resolve(golden), count, tolerance);
  }

  /** What tokenizer.model says, where tokenizer.json says otherwise. */
  @Test
  void withoutTheBlankInFront() throws Exception {
    Path checkpoint = FAMILIES.resolve("starling34-rm");
    Path file = directory.resolve("noprefix.gguf");
    Converter.of(checkpoint).type(GgufTensorType.F32).spacePrefix(SpacePrefix.NONE).convert(file);
    check(file, checkpoint.resolve("golden-noprefix.jsonl"), 18, 5e-5);
  }

  private static void check(Path file, Path golden, int count, double tolerance) throws Exception {
    List<JsonNode> rows = new ArrayList<>();
    for (String line : Files.readAllLines(golden)) {
      rows.add(JSON.readTree(line));
    }
    assertThat(rows).hasSize(count);
    RewardModelOptions exact = RewardModelOptions.defaults().precision(Precision.EXACT);
    SoftAssertions all = new SoftAssertions();
    try (RewardModel published = RewardModel.load(file, exact);
        RewardModel last = RewardModel.load(file, exact.readout(Readout.LAST_TOKEN))) {
      for (JsonNode row : rows) {
        String id = row.path("id").asText();
        Input input = input(row);
        if (input instanceof Conversation conversation) {
          all.assertThat(last.template().render(conversation))
              .as(id + " rendered")
              .isEqualTo(row.get("rendered").asText());
        }
        RewardTrace trace = last.trace(input);
        all.assertThat(trace.steps().stream().mapToInt(RewardTrace.Step::tokenId).toArray())
            .as(id + " token ids")
            .isEqualTo(JSON.convertValue(row.get("token_ids"), int[].class));
        double reward = row.get("reward").asDouble();
        all.assertThat(trace.reward().reward()).as(id).isCloseTo(reward, within(tolerance));
        all.assertThat(last.score(input).reward()).as(id).isCloseTo(reward, within(tolerance));
        all.assertThat(published.score(input).reward())
            .as(id + " as the published class reads it")
            .isCloseTo(row.path("reward_class").asDouble(reward), within(tolerance));
      }
    }
    all.assertAll();
  }

  private static Input input(JsonNode row) {
    if (row.has("text")) {
      return Input.text(row.get("text").asText());
    }
    List<Message> messages = new ArrayList<>();
    for (JsonNode message : Objects.requireNonNull(row.get("messages"), "messages")) {
      String content = message.get("content").asText();
      messages.add(
          switch (message.get("role").asText()) {
            case "system" -> Message.system(content);
            case "user" -> Message.user(content);
            default -> Message.assistant(content);
          });
    }
    return new Conversation(messages);
  }
}
