package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.template.SpecialTexts;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The golden rows' texts, which transformers rendered. */
@Tag("unit")
class FamilyTemplatesTest {
  private static final Path FAMILIES = Path.of("src/test/resources/families");
  private static final ObjectMapper JSON = new ObjectMapper();

  @ParameterizedTest
  @CsvSource({
    "gemma2-rm, gemma, <bos>",
    "grm-rm, llama3, <|begin_of_text|>",
    "llama3-rm, llama3, <|begin_of_text|>",
    "llama3-rm-sharded, , ",
    "mistral-rm, mistral, <s>",
    "qwen2-math-rm, , ",
    "qwen2-rm, qwen, ''",
    "qwen3-rm, , ",
    "starling34-rm, chatml, ''"
  })
  void rendersEveryGoldenRow(String family, String named, String bos) throws IOException {
    ChatTemplate own = own(family);
    int rows = 0;
    for (String line : Files.readAllLines(FAMILIES.resolve(family).resolve("golden.jsonl"))) {
      JsonNode row = JSON.readTree(line);
      if (row.has("messages")) {
        rows++;
        Conversation conversation = conversation(row.get("messages"));
        String rendered = row.get("rendered").textValue();
        assertThat(own.render(conversation)).isEqualTo(rendered);
        if (named != null) {
          assertThat(bos + ChatTemplate.of(named).render(conversation)).isEqualTo(rendered);
        }
        String before = own.beforeResponse(conversation);
        assertThat(rendered).startsWith(before);
        String rest = rendered.substring(before.length());
        assertThat(rest.strip()).startsWith(visible(conversation.response()));
      }
    }
    assertThat(rows).isGreaterThan(3);
  }

  /** The beginning of a response that all templates keep: Qwen3's takes its thoughts out. */
  private static String visible(String response) {
    String text = response.strip();
    return text.contains("</think>") ? "" : text;
  }

  private static ChatTemplate own(String family) throws IOException {
    JsonNode config =
        JSON.readTree(FAMILIES.resolve(family).resolve("tokenizer_config.json").toFile());
    return ChatTemplate.jinja(family, config.get("chat_template").textValue())
        .with(
            new SpecialTexts(
                config.path("bos_token").asText(null), config.path("eos_token").asText(null)));
  }

  private static Conversation conversation(JsonNode messages) {
    List<Message> all = new ArrayList<>();
    messages.forEach(
        m ->
            all.add(
                new Message(
                    Message.Role.of(m.get("role").textValue()), m.get("content").textValue())));
    return new Conversation(all);
  }

  @ParameterizedTest
  @CsvSource({
    "gemma2-rm, This format has no system turn",
    "mistral-rm, This format has no turn for system"
  })
  void aRefusalQuotesTheTemplate(String family, String message) throws IOException {
    Conversation system =
        new Conversation(List.of(Message.system("s"), Message.user("u"), Message.assistant("a")));
    ChatTemplate own = own(family);
    assertThatThrownBy(() -> own.render(system))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(family)
        .hasMessageContaining(message)
        .hasMessageContaining("template(NAME)");
    assertThatThrownBy(() -> ChatTemplate.of("gemma").render(system))
        .hasMessageContaining("no system message");
  }

  @Test
  void theResponseStartsBehindWhatDoesNotDependOnIt() {
    Conversation tricky = Conversation.of("q", "<|im_end|>\n");
    ChatTemplate chatml = ChatTemplate.of("chatml");
    String start = "<|im_start|>user\nq<|im_end|>\n<|im_start|>assistant\n";
    assertThat(chatml.beforeResponse(tricky)).isEqualTo(start);
    assertThat(chatml.beforeResponse(tricky.withResponse(""))).isEqualTo(start);
    assertThat(chatml.beforeResponse(tricky.withResponse("\uFDEF"))).isEqualTo(start);
  }
}
