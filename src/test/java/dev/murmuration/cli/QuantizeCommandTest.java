package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.HexFormat;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** From a checkpoint to a small model that scores, with two commands. */
@Tag("native")
class QuantizeCommandTest {
  private static final Path CHECKPOINTS = Path.of("src/test/resources/checkpoints");

  @TempDir Path directory;

  private String file(String name) {
    return directory.resolve(name).toString();
  }

  @Test
  void twoCommandsFromCheckpointToReward() {
    String checkpoint = CHECKPOINTS.resolve("tiny-rm").toString();
    Cli converted = Cli.run("convert", checkpoint, "-o", file("f16.gguf"));
    assertThat(converted.code()).as(converted.err()).isZero();
    assertThat(converted.out()).isEmpty();
    assertThat(converted.err().lines())
        .anyMatch(line -> line.matches(" +head +v_head.weight, 64 to 1"))
        .anyMatch(line -> line.equals("  | [INST] What is the capital of France? [/INST] Paris."))
        .anyMatch(line -> line.matches("murmur: wrote .*f16.gguf: F16, 4.80 MiB, 2154880 par.*"))
        .anyMatch(line -> line.contains("next: murmur quantize " + file("f16.gguf")));
    Cli quantized =
        Cli.run("quantize", file("f16.gguf"), file("q4.gguf"), "--type", "q4_k", "-t", "2");
    assertThat(quantized.code()).as(quantized.err()).isZero();
    assertThat(quantized.out()).isEmpty();
    assertThat(quantized.err().lines())
        .singleElement()
        .asString()
        .matches("murmur: wrote .*: Q4_K_M, 2.84 MiB \\(before: 4.80 MiB\\), 8.\\d\\d bits per .*");
    Cli scored = Cli.run("score", "--text", "Hello?", "-q", "-m", file("q4.gguf"));
    assertThat(scored.code()).as(scored.err()).isZero();
    assertThat(Double.parseDouble(scored.out())).isFinite();
  }

  @Test
  void jsonSaysWhatWasDone() throws Exception {
    Cli converted =
        Cli.run(
            "convert",
            CHECKPOINTS.resolve("fledgling").toString(),
            "--output",
            file("f.gguf"),
            "--type",
            "bf16",
            "--tokenizer",
            CHECKPOINTS.resolve("tiny-rm").toString(),
            "--template",
            "card",
            "--json");
    assertThat(converted.code()).as(converted.err()).isZero();
    assertThat(converted.err()).isEmpty();
    JsonNode conversion = converted.json();
    assertThat(conversion.get("file").asText()).isEqualTo(file("f.gguf"));
    assertThat(conversion.get("type").asText()).isEqualTo("BF16");
    assertThat(conversion.get("parameters").asLong()).isEqualTo(4_899_968 + 128);
    assertThat(conversion.get("bytes_written").asLong())
        .isEqualTo(Files.size(directory.resolve("f.gguf")));
    assertThat(Cli.run("inspect", "--json", file("f.gguf")).json().get("template").asText())
        .isEqualTo("card");

    Cli quantized = Cli.run("quantize", "--json", file("f.gguf"), file("q.gguf"));
    assertThat(quantized.code()).as(quantized.err()).isZero();
    assertThat(quantized.err()).isEmpty();
    JsonNode quantization = quantized.json();
    assertThat(quantization.get("type").asText()).isEqualTo(QuantizationType.DEFAULT.name());
    assertThat(quantization.get("tensors").asInt()).isEqualTo(38);
    assertThat(quantization.get("bytes_read").asLong())
        .isEqualTo(Files.size(directory.resolve("f.gguf")));
    assertThat(quantization.get("bytes_written").asLong())
        .isEqualTo(Files.size(directory.resolve("q.gguf")));
    assertThat(quantization.get("bits_per_weight").asDouble()).isBetween(4.0, 16.0);
  }

  /** The commands of src/main/scripts/embed-fledgling.sh. */
  @Test
  void theEmbeddedModelIsMadeFromItsCheckpoint() throws Exception {
    Cli converted =
        Cli.run(
            "convert",
            CHECKPOINTS.resolve("fledgling").toString(),
            "--tokenizer",
            CHECKPOINTS.resolve("tiny-rm").toString(),
            "--name",
            "starling-rm",
            "-o",
            file("f16.gguf"));
    assertThat(converted.code()).as(converted.err()).isZero();
    Cli quantized = Cli.run("quantize", file("f16.gguf"), file("q8.gguf"), "--type", "Q8_0");
    assertThat(quantized.code()).as(quantized.err()).isZero();
    byte[] made = Files.readAllBytes(directory.resolve("q8.gguf"));
    assertThat(made).isEqualTo(embedded("fledgling-q8_0.gguf"));
    String hash = HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(made));
    assertThat(hash + " " + made.length + "\n")
        .isEqualTo(new String(embedded("fledgling-q8_0.gguf.sha256"), StandardCharsets.US_ASCII));
  }

  private static byte[] embedded(String name) throws IOException {
    try (InputStream in = RewardModel.class.getResourceAsStream(name)) {
      return in.readAllBytes();
    }
  }

  @Test
  void failuresAreOneLineAndQuietIsQuiet() throws Exception {
    String tiny = TestModels.TINY.toString();
    assertThat(Cli.run("quantize", "-q", tiny, file("a.gguf")).err()).isEmpty();
    failure("exists", "quantize", tiny, file("a.gguf"));
    failure("is quantized already", "quantize", file("a.gguf"), file("b.gguf"));
    failure("is the input itself", "quantize", "--force", tiny, tiny);
    failure("there is no such file", "quantize", file("none.gguf"), file("b.gguf"));
    failure("folder does not exist", "quantize", tiny, file("no/b.gguf"));
    failure("exists", "convert", CHECKPOINTS.resolve("tiny-rm").toString(), "-o", file("a.gguf"));
    failure(
        "--tokenizer DIR",
        "convert",
        CHECKPOINTS.resolve("fledgling").toString(),
        "-o",
        file("b.gguf"));
    try (var files = Files.list(directory)) {
      assertThat(files).containsExactly(directory.resolve("a.gguf"));
    }
  }

  private static void failure(String message, String... arguments) {
    Cli result = Cli.run(arguments);
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .startsWith("murmur: ")
        .contains(message);
  }

  @Test
  void theHelpOfConvertSaysWhatTheTemplateIsFor() {
    assertThat(Cli.run("convert", "--help").out()).contains("(reward_model.template)");
    assertThat(Cli.run("score", "--help").out())
        .contains("How prompt and response become one text")
        .doesNotContain("reward_model.template");
  }

  @Test
  void theHelpListsEveryType() {
    Terminal.Kind narrow = new Terminal.Kind(true, false, 60, false);
    Cli help = Cli.run("", narrow, "quantize", "--help");
    assertThat(help.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(60));
    for (QuantizationType type : QuantizationType.values()) {
      assertThat(help.lines())
          .as(type.name())
          .anyMatch(
              line ->
                  line.startsWith("  " + type + (type.needsImportanceMatrix() ? "*" : "") + " ")
                      && line.contains(
                          type == QuantizationType.COPY
                              ? " as is "
                              : String.format("%.2f", type.bitsPerWeight())));
    }
    assertThat(help.lines())
        .anyMatch(line -> line.startsWith("  " + QuantizationType.DEFAULT + " "))
        .anyMatch(line -> line.endsWith("(default)"));
  }
}
