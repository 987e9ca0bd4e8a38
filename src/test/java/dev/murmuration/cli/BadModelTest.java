package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.TestModels;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.RewardMetadata;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Model files and options that cannot work: one clear line on standard error, and a code. */
@Tag("native")
class BadModelTest {
  @TempDir Path folder;

  private static Cli score(Path model, String... more) {
    String[] arguments = {
      "score", "-q", "--prompt", "Hello?", "--response", "Hi", "-m", model.toString()
    };
    String[] all = Arrays.copyOf(arguments, arguments.length + more.length);
    System.arraycopy(more, 0, all, arguments.length, more.length);
    return Cli.run(all);
  }

  private static void refused(int code, String what, Cli result, String... messages) {
    assertThat(result.code()).as(what + ": " + result.err()).isEqualTo(code);
    assertThat(result.out()).as(what).isEmpty();
    assertThat(result.err().lines())
        .as(what)
        .singleElement()
        .asString()
        .startsWith("murmur: ")
        .contains(messages);
  }

  private Path changed(UnaryOperator<GgufWriter> change) throws IOException {
    Path file = folder.resolve("changed.gguf");
    change.apply(GgufWriter.copyOf(GgufReader.read(TestModels.TINY))).write(file);
    return file;
  }

  @Test
  void filesThatAreNoModel() throws Exception {
    Path file = folder.resolve("model.gguf");
    refused(ExitCode.FAILED, "missing", score(file), file.toString(), "no such file");
    refused(ExitCode.FAILED, "a directory", score(folder), folder.toString(), "directory");
    Files.createFile(file);
    refused(ExitCode.FAILED, "empty", score(file), file.toString(), "empty");
    byte[] noise = new byte[1 << 20];
    new Random(5).nextBytes(noise);
    Files.write(file, noise);
    refused(ExitCode.FAILED, "random bytes", score(file), file.toString(), "GGUF");
  }

  @Test
  void aFileTruncatedAtEveryPercent() throws Exception {
    byte[] whole = Files.readAllBytes(TestModels.TINY);
    Path file = folder.resolve("truncated.gguf");
    for (int percent = 0; percent < 100; percent++) {
      Files.write(file, Arrays.copyOf(whole, (int) (whole.length * (long) percent / 100)));
      refused(ExitCode.FAILED, percent + " %", score(file), file.toString());
    }
  }

  /** Offset and width of magic, version, number of tensors, number of metadata entries. */
  @ParameterizedTest
  @ValueSource(strings = {"0 4", "4 4", "8 8", "16 8"})
  void eachFieldOfTheHeaderAtItsExtremes(String field) throws Exception {
    int at = Integer.parseInt(field.substring(0, field.indexOf(' ')));
    int width = Integer.parseInt(field.substring(field.indexOf(' ') + 1));
    long max = width == 4 ? Integer.MAX_VALUE : Long.MAX_VALUE;
    Path file = folder.resolve("header.gguf");
    for (long value : new long[] {0, max, -1}) {
      byte[] bytes = Files.readAllBytes(TestModels.TINY);
      ByteBuffer buffer = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
      if (width == 4) {
        buffer.putInt(at, (int) value);
      } else {
        buffer.putLong(at, value);
      }
      Files.write(file, bytes);
      refused(ExitCode.FAILED, field + " = " + value, score(file), file.toString());
    }
  }

  @Test
  void anotherArchitectureAndHeadsThatDoNotFit() throws Exception {
    refused(
        ExitCode.FAILED,
        "another architecture",
        score(changed(w -> w.metadata("general.architecture", GgufValue.text("gpt2")))),
        "gpt2",
        "llama");
    refused(
        ExitCode.FAILED,
        "no head",
        score(changed(w -> w.removeMetadata(RewardMetadata.VALUE_HEAD))),
        "no value head",
        "--value-head");
    refused(
        ExitCode.FAILED,
        "a short head",
        score(changed(w -> w.metadata(RewardMetadata.VALUE_HEAD, GgufValue.floats(new float[63])))),
        "63 weights",
        "64");
    float[] nan = new float[64];
    nan[17] = Float.NaN;
    refused(
        ExitCode.FAILED,
        "a head with NaN",
        score(changed(w -> w.metadata(RewardMetadata.VALUE_HEAD, GgufValue.floats(nan)))),
        "number 17 is NaN");
  }

  @Test
  void whatThisMachineHasNot() throws Exception {
    Path wide = changed(w -> w.metadata("llama.context_length", GgufValue.uint32(1 << 20)));
    String most = Integer.toString(1 << 20);
    refused(
        ExitCode.WRONG_USAGE,
        "a context larger than memory",
        score(wide, "--precision", "exact", "-c", most, "-b", most, "-ub", most),
        "context of 1048576 tokens needs",
        "--ctx-size");
    refused(
        ExitCode.WRONG_USAGE,
        "a context larger than the model's",
        score(TestModels.TINY, "-c", "100000"),
        "100000 tokens");
  }

  @Test
  void aResponseOf100000CharactersIsScoredAndSaidToBeCut() {
    Cli result =
        Cli.tiny("score", "--prompt", "Why?", "--response", "because ".repeat(12_500), "--json");
    assertThat(result.code()).isZero();
    assertThat(result.out()).contains("\"tokens\":2048");
  }
}
