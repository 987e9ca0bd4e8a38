package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is shown of models and checkpoints, sound and damaged. No native library. */
@Tag("unit")
class InspectCommandTest {
  private static final Path CHECKPOINTS = Path.of("src/test/resources/checkpoints");
  private static final Path FAMILIES = Path.of("src/test/resources/families");
  private static final String TINY = TestModels.TINY.toString();
  private static final String FLEDGLING_Q8 = TestModels.EMBEDDED.toString();

  @TempDir Path directory;

  private static JsonNode json(String... arguments) throws Exception {
    Cli result = Cli.run(arguments);
    assertThat(result.lines()).as(result.err()).hasSize(1);
    assertThat(result.err()).isEmpty();
    JsonNode json = result.json();
    assertThat(json.get("valid").asBoolean()).isEqualTo(result.code() == ExitCode.DONE);
    return json;
  }

  @Test
  void jsonOfAModel() throws Exception {
    JsonNode json = json("inspect", "--json", TINY);
    assertThat(json.get("valid").asBoolean()).isTrue();
    assertThat(json.get("problem").isNull()).isTrue();
    assertThat(json.get("file").asText()).isEqualTo(TINY);
    assertThat(json.get("format").asText()).isEqualTo("gguf");
    assertThat(json.get("bytes").asLong()).isEqualTo(Files.size(TestModels.TINY));
    assertThat(json.get("name").asText()).isEqualTo("starling-rm");
    assertThat(json.get("architecture").asText()).isEqualTo("llama");
    assertThat(json.get("shapes").toString())
        .isEqualTo(
            "{\"hidden_size\":64,\"layers\":2,\"heads\":2,\"key_value_heads\":2,\"head_size\":32,"
                + "\"feed_forward_size\":192,\"vocabulary_size\":32000,\"context_length\":4096}");
    assertThat(json.get("parameters").asLong()).isEqualTo(2_154_816);
    assertThat(json.get("types").toString())
        .isEqualTo("[{\"type\":\"F32\",\"tensors\":20,\"bytes\":8619264}]");
    assertThat(json.at("/value_head/length").asInt()).isEqualTo(64);
    float[] head =
        GgufReader.read(TestModels.TINY).floats("reward_model.value_head.weight").orElseThrow();
    double squares = 0;
    for (float weight : head) {
      squares += (double) weight * weight;
    }
    assertThat(json.at("/value_head/l2_norm").asDouble())
        .isCloseTo(Math.sqrt(squares), within(1e-6));
    assertThat(json.get("template").asText()).isEqualTo("llama2");
    assertThat(json.get("readout").asText()).isEqualTo("last_token");
    assertThat(json.get("max_length").asInt()).isEqualTo(2048);
    assertThat(json.get("tokenizer").toString())
        .isEqualTo(
            "{\"kind\":\"llama\",\"tokens\":32000,\"special_token_ids\":"
                + "{\"bos\":1,\"eos\":2,\"unknown\":0},\"adds_bos\":true,\"adds_eos\":false}");
  }

  @Test
  void memoryFollowsTheContextLength() throws Exception {
    JsonNode memory = json("inspect", "--json", TINY, "-c", "1024").get("memory");
    assertThat(memory).hasSize(2);
    // 2 layers, keys and values, 64 numbers a token in two bytes, or in four.
    assertThat(memory.at("/0/precision").asText()).isEqualTo("fast");
    assertThat(memory.at("/0/context_length").asInt()).isEqualTo(1024);
    assertThat(memory.at("/0/cells").asInt()).isEqualTo(4096);
    assertThat(memory.at("/0/cache_bytes").asLong()).isEqualTo(2L * 2 * 64 * 4096 * 2);
    assertThat(memory.at("/1/precision").asText()).isEqualTo("exact");
    assertThat(memory.at("/1/cache_bytes").asLong()).isEqualTo(2L * 2 * 64 * 4096 * 4);
    for (JsonNode need : memory) {
      assertThat(need.get("weight_bytes").asLong()).isEqualTo(8_619_264);
      assertThat(need.get("total_bytes").asLong())
          .isEqualTo(
              need.get("weight_bytes").asLong()
                  + need.get("repacked_bytes").asLong()
                  + need.get("cache_bytes").asLong()
                  + need.get("buffer_bytes").asLong());
      assertThat(need.get("available_bytes").asLong()).isPositive();
      assertThat(need.get("refusal").isNull()).isTrue();
    }
    JsonNode usual = json("inspect", "--json", TINY).get("memory");
    assertThat(usual.at("/0/context_length").asInt()).isEqualTo(2048);
    assertThat(usual.at("/0/cells").asInt()).isEqualTo(4096);
    JsonNode byHand = json("inspect", "--json", TINY, "--kv-cells", "2500").get("memory");
    assertThat(byHand.at("/0/cells").asInt()).isEqualTo(2560);

    Cli tooLong = Cli.run("inspect", TINY, "-c", "5000");
    assertThat(tooLong.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(tooLong.err()).contains("is 5000 tokens; this model takes 2 to 4096");
    Cli tooSmall = Cli.run("inspect", TINY, "--kv-cells", "2047");
    assertThat(tooSmall.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(tooSmall.err())
        .contains("--kv-cells is 2047; it takes 2048, for the longest text (--ctx-size)");
  }

  /** Attention in float32 alone would take 64 GiB. */
  @Test
  void whatWouldBeRefusedForWantOfMemoryIsSaid() throws Exception {
    JsonNode memory = json("inspect", "--json", TINY, "--kv-cells", "16777216").get("memory");
    String refusal = memory.at("/1/refusal").asText();
    assertThat(refusal)
        .matches(
            "a context of 2048 tokens needs \\d+ MiB \\(key/value cache of 16777216 cells \\d+,"
                + " buffers \\d+\\), and \\d+ MiB are free; what fits: --kv-cells \\d+.*");
    Cli text = Cli.run("inspect", TINY, "--kv-cells", "16777216");
    assertThat(text.code()).isZero();
    assertThat(text.out()).contains("--precision exact would be refused:");
  }

  @ParameterizedTest
  @ValueSource(ints = {60, 80, 120})
  void textForPeople(int columns) {
    for (String file : List.of(TINY, TestModels.FLEDGLING.toString(), FLEDGLING_Q8)) {
      Cli result = Cli.run("", new Terminal.Kind(true, true, columns, false), "inspect", file);
      assertThat(result.code()).isZero();
      assertThat(result.err()).isEmpty();
      assertThat(result.lines().stream().skip(1))
          .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(Math.max(80, columns)));
      assertThat(result.lines().stream().filter(line -> !line.contains(file)))
          .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(columns));
      assertThat(result.out())
          .contains("valid        yes\n", "architecture llama\n", "Memory at 2,048 tokens:")
          .contains("template     llama2\n", "SentencePiece, 32,000 tokens", "bos 1, eos 2")
          .doesNotContain("null");
    }
    assertThat(Cli.run("inspect", FLEDGLING_Q8).out())
        .containsPattern("Q8_0 +29 +4\\.96 MiB +99\\.9 %");
  }

  private String converted(String family, String... options) {
    String file = directory.resolve(family + ".gguf").toString();
    List<String> arguments = new ArrayList<>(List.of("convert", "-q", "-o", file));
    arguments.add(FAMILIES.resolve(family).toString());
    arguments.addAll(List.of(options));
    Cli result = Cli.run(arguments.toArray(String[]::new));
    assertThat(result.code()).as(result.err()).isZero();
    return file;
  }

  private static String shown(String file, int columns) {
    Cli result = Cli.run("", new Terminal.Kind(true, true, columns, false), "inspect", file);
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.lines().stream().filter(line -> !line.startsWith("file ")))
        .filteredOn(line -> !line.contains(file))
        .allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(columns));
    return result.out();
  }

  @Test
  void whatIsOnlyOneFamilysIsShown() throws Exception {
    String gemma = converted("gemma2-rm");
    String grm = converted("grm-rm");
    for (int columns : new int[] {60, 80}) {
      assertThat(shown(gemma, columns))
          .contains("architecture gemma2\n", "soft cap     5.0 for attention's dot products\n")
          .contains("window       64 tokens on every other layer, from the first\n")
          .contains("family       Gemma2ForSequenceClassification\n", "template     tokenizer\n")
          .contains("readout      before_pad, padding token 0\n", "adds         BOS yes, EOS no\n")
          .contains("tokenizer    SentencePiece, 820 tokens\n", "value head   64 weights, ");
      assertThat(shown(grm, columns))
          .contains("family       LlamaForCausalLM\n", "readout      last_token\n")
          .containsPattern("value head +network of 2 layers: 64 to 48, relu;(\n +| )48 to 1\n")
          .contains("tokenizer    byte-level BPE, llama-bpe, 1,024 tokens\n")
          .doesNotContain("window ", "soft cap");
    }
    for (String file : List.of(gemma, FAMILIES.resolve("gemma2-rm").toString())) {
      JsonNode json = json("inspect", "--json", file);
      assertThat(json.at("/shapes/sliding_window").asInt()).isEqualTo(64);
      assertThat(json.at("/shapes/attention_soft_cap").asDouble()).isEqualTo(5.0);
      assertThat(json.get("family").asText()).isEqualTo("Gemma2ForSequenceClassification");
      assertThat(json.get("template").asText()).isEqualTo("tokenizer");
      assertThat(json.get("readout").asText()).isEqualTo("before_pad");
      assertThat(json.get("readout_pad_token_id").asInt()).isZero();
      assertThat(json.at("/tokenizer/adds_bos").asBoolean()).isTrue();
      assertThat(json.at("/tokenizer/adds_eos").asBoolean()).isFalse();
    }
    JsonNode network = json("inspect", "--json", grm);
    assertThat(network.get("value_head_network").asText())
        .isEqualTo("network of 2 layers: 64 to 48, relu; 48 to 1");
    assertThat(network.get("shapes").has("sliding_window")).isFalse();
  }

  /** The window and the cap of a file that would be refused are those of its metadata. */
  @Test
  void aDamagedModelOfAnotherFamilyIsShownAsFarAsItGoes() throws Exception {
    Path file = directory.resolve("model.gguf");
    GgufWriter.copyOf(
            GgufReader.read(FAMILIES.resolve("gemma2-rm").resolve("body-f32.reference.gguf")))
        .removeTensor("output_norm.weight")
        .write(file);
    JsonNode json = json("inspect", "--json", file.toString());
    assertThat(json.get("valid").asBoolean()).isFalse();
    assertThat(json.at("/shapes/sliding_window").asInt()).isEqualTo(64);
    assertThat(json.at("/shapes/attention_soft_cap").asDouble()).isEqualTo(5.0);
  }

  @Test
  void whatAFileDoesNotSayIsShownAsItIsTaken() throws Exception {
    Path file = directory.resolve("plain.gguf");
    GgufWriter.copyOf(GgufReader.read(TestModels.TINY))
        .removeMetadata("reward_model.template")
        .removeMetadata("reward_model.readout")
        .write(file);
    assertThat(shown(file.toString(), 80))
        .contains("family       not named in the file\n", "template     llama2, the default\n")
        .contains("readout      last_token, the default\n");
    GgufWriter.copyOf(GgufReader.read(file))
        .metadata("tokenizer.chat_template", GgufValue.text("x"))
        .write(directory.resolve("own.gguf"));
    assertThat(shown(directory.resolve("own.gguf").toString(), 80))
        .contains("template     tokenizer, the default\n");
  }

  /** A template from a file, and the day that it is told, are in the model's file. */
  @Test
  void aTemplateFromAFileIsConverted() throws Exception {
    Path text =
        Files.writeString(
            directory.resolve("my template.jinja"),
            "{{ strftime_now('%d %b %Y') }}{% for m in messages %}<{{ m.content }}>{% endfor %}");
    String model =
        converted("qwen2-rm", "--template", text.toString(), "--template-date", "2024-07-26");
    JsonNode json = json("inspect", "--json", model);
    assertThat(json.get("template").asText()).isEqualTo("tokenizer");
    assertThat(json.get("template_date").asText()).isEqualTo("2024-07-26");
    assertThat(shown(model, 80)).contains("told day     2024-07-26\n");
    assertThat(GgufReader.read(Path.of(model)).string("tokenizer.chat_template"))
        .contains(Files.readString(text));
    String folder = FAMILIES.resolve("qwen2-rm").toString();
    Cli wrong =
        Cli.run("convert", folder, "-o", directory + "/x.gguf", "--template-date", "26.7.2024");
    assertThat(wrong.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(wrong.err()).contains("--template-date", "26.7.2024");
    Cli missing = Cli.run("convert", folder, "-o", directory + "/x.gguf", "--template", "no.jinja");
    assertThat(missing.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(missing.err()).contains("no template 'no.jinja'", "no file of that name");
  }

  @Test
  void aCheckpointIsDescribedAsItWouldBeConverted() throws Exception {
    JsonNode json = json("inspect", "--json", CHECKPOINTS.resolve("tiny-rm").toString());
    assertThat(json.get("valid").asBoolean()).isTrue();
    assertThat(json.get("format").asText()).isEqualTo("checkpoint");
    JsonNode converted = json("inspect", "--json", TINY);
    for (String same :
        List.of("shapes", "parameters", "value_head", "template", "max_length", "tokenizer")) {
      assertThat(json.get(same)).as(same).isEqualTo(converted.get(same));
    }
    assertThat(json.at("/types/0/type").asText()).isEqualTo("F16");
    assertThat(json.at("/memory/0/cache_bytes")).isEqualTo(converted.at("/memory/0/cache_bytes"));

    Cli text =
        Cli.run(
            "inspect",
            CHECKPOINTS.resolve("fledgling").toString(),
            "--tokenizer",
            CHECKPOINTS.resolve("tiny-rm").toString());
    assertThat(text.code()).isZero();
    assertThat(text.out()).contains("yes: it can be converted", "tokens, converted to F16:");
  }

  @Test
  void aCheckpointThatCannotBeConvertedIsShownAsFarAsItGoes() throws Exception {
    JsonNode json = json("inspect", "--json", CHECKPOINTS.resolve("fledgling").toString());
    assertThat(json.get("valid").asBoolean()).isFalse();
    assertThat(json.get("problem").asText()).startsWith("has neither tokenizer.model nor");
    assertThat(json.at("/shapes/layers").asInt()).isEqualTo(4);
    assertThat(json.get("memory")).isEmpty();
    assertThat(json.get("value_head").isNull()).isTrue();

    Cli nothing = Cli.run("inspect", directory.toString());
    assertThat(nothing.code()).isEqualTo(ExitCode.FAILED);
    assertThat(nothing.err().lines()).singleElement().asString().startsWith("murmur: ");
  }

  @Test
  void aDamagedContainerHasSizeAndReason() throws Exception {
    byte[] bytes = Files.readAllBytes(TestModels.TINY);
    Path cut = Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(bytes, 100_000));
    JsonNode json = json("inspect", "--json", cut.toString());
    assertThat(json.get("valid").asBoolean()).isFalse();
    assertThat(json.get("problem").asText()).isNotEmpty().doesNotContain(directory.toString());
    assertThat(json.get("bytes").asLong()).isEqualTo(100_000);
    assertThat(json.get("shapes")).isEmpty();

    Path text = Files.writeString(directory.resolve("text.gguf"), "some text");
    Cli shown = Cli.run("inspect", text.toString());
    assertThat(shown.code()).isEqualTo(ExitCode.FAILED);
    assertThat(shown.out()).contains("9 B", "no: this is not a GGUF file");
    assertThat(Cli.run("inspect", directory.resolve("none.gguf").toString()).err())
        .contains("there is no such file");
  }

  @Test
  void aModelThatWouldBeRefusedIsShownWithTheReason() throws Exception {
    Gguf tiny = GgufReader.read(TestModels.TINY);
    refused(
        GgufWriter.copyOf(tiny).removeTensor("output_norm.weight"),
        "the tensor output_norm.weight is missing");
    refused(
        GgufWriter.copyOf(tiny).metadata("llama.block_count", GgufValue.text("two")),
        "llama.block_count has the type string");
    refused(
        GgufWriter.copyOf(tiny).metadata("reward_model.value_head.weight", GgufValue.floats(1, 2)),
        "has 2 weights, but the model's hidden states have 64");
    refused(
        GgufWriter.copyOf(tiny).metadata("reward_model.readout", GgufValue.text("mean")),
        "reward_model.readout is \"mean\"");
    refused(
        GgufWriter.copyOf(tiny).metadata("reward_model.max_length", GgufValue.uint32(1 << 20)),
        "reward_model.max_length is 1048576 tokens; this model takes 2 to 4096");
  }

  private void refused(GgufWriter writer, String reason) throws Exception {
    Path file = directory.resolve("model.gguf");
    writer.write(file);
    JsonNode json = json("inspect", "--json", file.toString());
    assertThat(json.get("valid").asBoolean()).isFalse();
    assertThat(json.get("problem").asText()).contains(reason);
    assertThat(json.at("/shapes/hidden_size").asInt()).isEqualTo(64);
    assertThat(json.at("/tokenizer/tokens").asInt()).isEqualTo(32_000);
    assertThat(json.get("types")).hasSize(1);
    Cli text = Cli.run("inspect", file.toString());
    assertThat(text.code()).isEqualTo(ExitCode.FAILED);
    assertThat(text.out()).contains("no: ").doesNotContain("null");
  }

  @Test
  void aModelWithoutAHeadIsSound() throws Exception {
    Path file = directory.resolve("plain.gguf");
    GgufWriter.copyOf(GgufReader.read(TestModels.TINY))
        .removeMetadata("reward_model.value_head.weight")
        .write(file);
    Cli text = Cli.run("inspect", file.toString());
    assertThat(text.code()).isZero();
    assertThat(text.out()).contains("value head   none; --value-head FILE gives one");
  }
}
