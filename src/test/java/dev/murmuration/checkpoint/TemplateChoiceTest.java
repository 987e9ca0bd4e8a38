package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.tensors.NumberType;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("unit")
class TemplateChoiceTest {
  private static final String TEMPLATE =
      "{{ bos_token }}{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}{{ eos_token"
          + " }}";

  @TempDir private Path folder;

  @BeforeEach
  void prepare() throws IOException {
    Checkpoints.folderLikeTiny(folder.resolve("c"));
    folder = folder.resolve("c");
  }

  /** A checkpoint of the plain layout; Starling's own is {@link Checkpoints#TINY}. */
  private Converter plain() throws IOException {
    SmallModel.writeSurroundings(folder);
    CheckpointWriter.safetensors(
        folder.resolve("model.safetensors"), SmallModel.tensors(NumberType.F16, "model."));
    return Converter.of(folder);
  }

  private static String text(ConversionPlan plan, String key) {
    return plan.metadata().get(key) instanceof GgufValue.Str text ? text.value() : null;
  }

  private static List<String> decided(ConversionPlan plan) {
    return plan.decisions().stream()
        .filter(d -> d.subject().startsWith("template"))
        .map(d -> d.choice() + (d.warning() ? "!" : ""))
        .toList();
  }

  @Test
  void theTokenizersOwnIsRecordedAndRendered() throws IOException {
    Converter converter = plain();
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    ConversionPlan plan = converter.plan();
    assertThat(text(plan, "reward_model.template")).isEqualTo("tokenizer");
    assertThat(text(plan, "tokenizer.chat_template")).isEqualTo(TEMPLATE);
    assertThat(text(plan, "reward_model.template.date")).isNull();
    assertThat(plan.examples())
        .containsExactly(
            "<s><user>What is the capital of France?<assistant>Paris.</s>",
            "<s><user>What is the capital of France?<assistant>Paris.<user>And of Italy?<assistant>"
                + "Rome.</s>");
    assertThat(decided(plan)).containsExactly("the tokenizer's own");
    assertThat(text(converter.template("chatml").plan(), "reward_model.template"))
        .isEqualTo("chatml");
  }

  @Test
  void starlingsLayoutIsLlama2sWhateverLiesBesideIt() throws IOException {
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    ConversionPlan plan = Converter.of(Checkpoints.TINY).tokenizer(folder).plan();
    assertThat(text(plan, "reward_model.template")).isEqualTo("llama2");
    assertThat(decided(plan)).containsExactly("llama2");
    assertThat(plan.examples().getFirst())
        .isEqualTo("[INST] What is the capital of France? [/INST] Paris.");
  }

  @Test
  void withoutATemplateLlama2sVocabularyIsWarnedAbout() throws IOException {
    assertThat(decided(plain().plan())).containsExactly("llama2!");
  }

  @Test
  void oneOfSeveralNamedTemplatesIsTheDefault() throws IOException {
    Converter converter = plain();
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        """
        {"bos_token": "<s>", "eos_token": "</s>",
         "chat_template": [{"name": "tool_use", "template": "a"}, {"name": "default", "template": "b"}]}
        """);
    assertThat(text(converter.plan(), "tokenizer.chat_template")).isEqualTo("b");
  }

  @Test
  void theFilesAreLookedForAsTransformersDoes() throws IOException {
    Converter converter = plain();
    Files.writeString(
        folder.resolve("tokenizer_config.json"), "{\"chat_template\": \"from tokenizer_config\"}");
    assertThat(text(converter.plan(), "tokenizer.chat_template"))
        .isEqualTo("from tokenizer_config");
    Files.writeString(
        folder.resolve("chat_template.json"), "{\"chat_template\": \"from chat_template.json\"}");
    assertThat(text(converter.plan(), "tokenizer.chat_template"))
        .isEqualTo("from chat_template.json");
    Files.writeString(folder.resolve("chat_template.jinja"), "from chat_template.jinja");
    ConversionPlan plan = converter.plan();
    assertThat(text(plan, "tokenizer.chat_template")).isEqualTo("from chat_template.jinja");
    assertThat(plan.examples()).contains("from chat_template.jinja");
    assertThat(decided(plan)).containsExactly("the tokenizer's own");
  }

  @Test
  void aTokenizerInAnotherFolderBringsItsTemplate() throws IOException {
    Converter converter = plain();
    Files.writeString(folder.resolve("chat_template.jinja"), "beside the weights");
    Path other = Files.createDirectory(folder.resolve("other"));
    Files.copy(folder.resolve("tokenizer.model"), other.resolve("tokenizer.model"));
    Files.writeString(other.resolve("chat_template.jinja"), "beside the tokenizer");
    for (Path tokenizer : List.of(other, other.resolve("tokenizer.model"))) {
      assertThat(text(converter.tokenizer(tokenizer).plan(), "tokenizer.chat_template"))
          .isEqualTo("beside the tokenizer");
    }
  }

  @Test
  void aChatTemplateOfAnotherKindIsRefused() throws IOException {
    Converter converter = plain();
    Files.writeString(folder.resolve("chat_template.json"), "{\"chat_template\": 7}");
    assertThatThrownBy(converter::plan)
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("chat_template.json: chat_template is neither a text nor a list");
  }

  /** config.json may name one all the same, and llama.cpp's converter writes that. */
  @Test
  void aTokenizerWithoutBosGivesItsTemplateNone() throws IOException {
    Converter converter = plain();
    Path config = folder.resolve("config.json");
    Files.writeString(
        config, Files.readString(config).replaceFirst("\\{", "{\"bos_token_id\": 1,"));
    Files.writeString(folder.resolve("chat_template.jinja"), TEMPLATE);
    Files.writeString(
        folder.resolve("tokenizer_config.json"),
        "{\"bos_token\": null, \"eos_token\": \"</s>\", \"add_bos_token\": true}");
    ConversionPlan plan = converter.plan();
    assertThat(plan.decisions())
        .anyMatch(d -> d.warning() && d.subject().equals("BOS") && d.choice().equals("not added"));
    assertThat(plan.metadata())
        .containsEntry("tokenizer.ggml.bos_token_id", GgufValue.uint32(1))
        .containsEntry("tokenizer.ggml.add_bos_token", GgufValue.bool(false))
        .containsEntry("reward_model.template.bos", GgufValue.bool(false));
    assertThat(plan.examples().getFirst())
        .isEqualTo("<user>What is the capital of France?<assistant>Paris.</s>");
    // What this file names comes first, and then the older one beside it.
    Files.writeString(
        folder.resolve("special_tokens_map.json"),
        "{\"bos_token\": {\"content\": \"<s>\"}, \"eos_token\": \"A\"}");
    assertThat(converter.plan().metadata()).doesNotContainKey("reward_model.template.bos");
    assertThat(converter.plan().examples().getFirst()).endsWith("Paris.</s>");
    assertThat(converter.plan().examples().getFirst()).startsWith("<s><user>");
  }

  @Test
  void theDayIsFixed() throws IOException {
    Converter converter = plain().templateText("{{ strftime_now('%d %b %Y') }}");
    ConversionPlan today = converter.plan();
    assertThat(decided(today)).contains(text(today, "reward_model.template.date") + "!");
    ConversionPlan chosen = converter.templateDate(LocalDate.of(2024, 7, 26)).plan();
    assertThat(text(chosen, "reward_model.template.date")).isEqualTo("2024-07-26");
    assertThat(chosen.examples()).containsExactly("26 Jul 2024", "26 Jul 2024");
  }

  @Test
  void whatFailsIsTold() throws IOException {
    Converter converter = plain();
    assertThat(converter.templateText("{{ raise_exception('never') }}").plan().decisions())
        .anyMatch(d -> d.warning() && d.reason().contains("never"));
    assertThatThrownBy(() -> converter.templateText("{% include 'x' %}").plan())
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("'include' is not supported")
        .hasMessageContaining("template(NAME)");
  }
}
