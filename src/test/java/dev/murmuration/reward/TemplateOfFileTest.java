package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.ModelFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which template a GGUF is scored with, whatever keys it has. */
@Tag("unit")
class TemplateOfFileTest {
  private static final Path QWEN =
      Path.of("src/test/resources/families/qwen2-rm/body-f32.reference.gguf");
  private static final Conversation CONVERSATION = Conversation.of("a", "b");

  @TempDir private Path directory;

  private ChatTemplate chosen(Path model, UnaryOperator<GgufWriter> change) throws IOException {
    Path file = directory.resolve("model.gguf");
    change
        .apply(
            GgufWriter.copyOf(GgufReader.read(model))
                .removeMetadata("reward_model.template")
                .removeMetadata("tokenizer.chat_template"))
        .write(file);
    return TemplateOfFile.choose(ModelFile.of(GgufReader.read(file)), Optional.empty());
  }

  private static UnaryOperator<GgufWriter> text(String key, String value) {
    return writer -> writer.metadata(key, GgufValue.text(value));
  }

  @Test
  void withoutAKeyTheTokenizersOwnIsTaken() throws IOException {
    var own = text("tokenizer.chat_template", "{{ bos_token }}{{ messages[1].content }}");
    ChatTemplate template = chosen(TestModels.TINY, own);
    assertThat(template.name()).isEqualTo("tokenizer");
    assertThat(template.render(CONVERSATION)).isEqualTo("<s>b");
    assertThat(
            chosen(
                    TestModels.TINY,
                    w -> own.apply(w).metadata("reward_model.template.bos", GgufValue.bool(false)))
                .render(CONVERSATION))
        .isEqualTo("b");
  }

  @Test
  void withoutAnyTemplateOnlyLlama2sVocabularyHasOne() throws IOException {
    assertThat(chosen(TestModels.TINY, writer -> writer)).isEqualTo(ChatTemplate.LLAMA2);
    assertThatThrownBy(() -> chosen(QWEN, writer -> writer))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("names no chat template")
        .hasMessageContaining("template(NAME): there are llama2,");
  }

  @Test
  void aKeyThatNamesWhatIsNotThereIsRefused() {
    assertThatThrownBy(() -> chosen(TestModels.TINY, text("reward_model.template", "tokenizer")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("there is no tokenizer.chat_template");
    assertThatThrownBy(() -> chosen(TestModels.TINY, text("reward_model.template", "llama4")))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("reward_model.template: no template 'llama4'");
  }
}
