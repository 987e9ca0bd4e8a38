package dev.murmuration.cli;

import static java.nio.charset.StandardCharsets.UTF_16BE;
import static java.nio.charset.StandardCharsets.UTF_16LE;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Terminal;
import java.io.IOException;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Each failure is one line on standard error and an exit code. */
@Tag("native")
class WrongUsageTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "foo | no command 'foo'",
        "scor | did you mean score",
        "score --promt x | no option '--promt'; did you mean --prompt",
        "score | --prompt is missing",
        "score --prompt x | --response is missing",
        "score --prompt --response x | the text after --prompt is missing",
        "score --prompt x --response | the text after --response is missing",
        "score --text a --text b | --text (or --text-file) is given 2 times",
        "score --text a --prompt b | --text stands alone",
        "score - --text a | stands alone",
        "score file.txt | unexpected argument 'file.txt'",
        "score Hello Hi | unexpected argument 'Hello'; texts are given with --prompt and"
            + " --response",
        "score - - x | unexpected argument 'x'",
        "rank - - | - is given twice",
        "rank - --prompt x | stands alone",
        "rank Hello | unexpected argument 'Hello'; texts are given with --prompt and --response",
        "trace Hello | unexpected argument 'Hello'; texts are given with --prompt and --response",
        "score --text a extra | unexpected argument 'extra'",
        "score --text a -t x | 'x' is not a whole number",
        "score --text a -t -1 | --threads is -1",
        "score --text a -t 0 | --threads is 0; it takes 1 to 512",
        "score --text a -t 999 | --threads is 999; it takes 1 to 512",
        "bench -t 513 | --threads is 513; it takes 1 to 512",
        "score --text-file - -t 0 | --threads is 0",
        "score --text a -ub 0 | --ubatch-size is 0",
        "score --text a -c 1 | --ctx-size is 1",
        "score --text a -c 99999999 | --ctx-size is 99999999",
        "score --text a -ngl 5 | there is no GPU",
        "score --text a --device GPU7 | no device 'GPU7'",
        "score --text a --precision medium | no precision 'medium'; there are fast and exact",
        "score --text a --template foo | no template 'foo'; there are llama2",
        "score --text a --timeout 0 | --timeout is 0.0 seconds",
        "score --text a --timeout 0,5 | '0,5' is not a number",
        "score --text a --timeout x | 'x' is not a number",
        "score --text a -t 2147483648 | '2147483648' is not a whole number up to 2147483647",
        "score --text a --no-mmap=x | 'x' is neither true nor false",
        "score --text-file= | the name of the file with the text is empty",
        "score --text a --timeout NaN | 'NaN' is not a number, such as 1.5",
        "score --text a --timeout 1d | '1d' is not a number, such as 1.5",
        "score --text a --timeout 0x1p3 | '0x1p3' is not a number, such as 1.5",
        "score --text a --timeout Infinity | 'Infinity' is not a number, such as 1.5",
        "score --text a --timeout 1e400 | --timeout is Infinity seconds",
        "bench --seconds 2f | '2f' is not a number, such as 1.5",
        "bench --seconds 1e400 | --seconds is Infinity",
        "score --text a -t 1d | '1d' is not a whole number",
        "score --text a -t 0x10 | '0x10' is not a whole number",
        "score --no-truncate -c 4 --text one-two-three-four-five | context holds 4",
        "rank --response x | --prompt is missing",
        "rank --prompt x | --response is missing",
        "bench --lengths x | 'x' is not a whole number",
        "bench --lengths 64,0 | a length (--lengths) is 0; the least is 2",
        "bench --lengths 64,99999 | a length is 99999 tokens; the context (--ctx-size) holds 2048",
        "bench -c 128 --lengths 64,129 | the context (--ctx-size) holds 128: shorten the one",
        "bench -c 32 | the context (--ctx-size) holds 32 tokens; bench takes 64 or more",
        "bench --only speed | nothing called 'speed' to measure; there are prefill, best-of",
        "bench --best-of 1 | --best-of is 1; it takes 2 to 1024",
        "bench --seconds 0 | --seconds is 0.0",
        "bench --seconds NaN | 'NaN' is not a number, such as 1.5",
        "help nope | no command 'nope'; there are demo, score",
        "help scor | no command 'scor'; did you mean score?",
        "rnak | no command 'rnak'; did you mean rank?",
        "score --precison fast | no option '--precison'; did you mean --precision?",
        "--force | --force stands behind the name of a command: batch, merge",
        "score --prompt-file - --response-file - | --prompt-file - and --response-file - cannot"
            + " share",
        "trace --prompt-file - --response-file /dev/stdin | cannot share standard input",
        "rank --prompt x --response-file - --response-file - | cannot share standard input",
        "score - --prompt-file - | stands alone",
        "score - --text-file - | stands alone",
        "convert a -o - | name a file (./- if that is its name)",
        "quantize a - | name a file",
        "score --text a -m - | name a file",
        "inspect - | name a file",
        "inspect a.gguf --tokenizer b | --tokenizer is for a checkpoint",
        "inspect a.safetensors --weights | --weights is for a GGUF file",
        "bench --only reuse --lengths 64 | --lengths belongs to prefill",
        "bench --only prefill --best-of 4 | --best-of belongs to best-of and reuse",
        "inspect | FILE",
        "quantize a.gguf | OUT.gguf",
        "quantize a b --type Q9 | no quantization type 'Q9'; there are F32",
        "quantize a b --type IQ2_XS | needs an importance matrix",
        "quantize a b -t 0 | --threads is 0; it takes 1 to 512",
        "quantize a b -t 513 | --threads is 513; it takes 1 to 512",
        "convert a | --output",
        "convert a -o b --type q4_0 | no type 'q4_0' to convert to; there are f32, f16",
      })
  void wrongUsage(String arguments, String message) {
    Cli result = Cli.run(("-q " + arguments).split(" "));
    assertThat(result.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .startsWith("murmur: ")
        .contains(message);
  }

  @Test
  void everyFileThatIsMissingIsNamed(@TempDir Path folder) {
    String missing = folder.resolve("missing").toString();
    String below = folder.resolve("missing/out.gguf").toString();
    String tiny = TestModels.TINY.toString();
    String checkpoint = "src/test/resources/checkpoints/tiny-rm";
    String out = folder.resolve("out.gguf").toString();
    failure(missing, "score", "--text", "a", "-m", missing);
    failure(missing, "score", "--text", "a", "-m", tiny, "--value-head", missing);
    failure(missing, "score", "--prompt-file", missing, "--response", "a");
    failure(missing, "score", "--prompt", "a", "--response-file", missing);
    failure(missing, "trace", "--text-file", missing);
    failure(missing, "rank", "--prompt", "a", "--response", "b", "--response-file", missing);
    failure(missing, "inspect", missing);
    failure(missing, "inspect", missing + ".bin");
    failure(missing, "convert", missing, "-o", out);
    failure(missing, "convert", checkpoint, "-o", out, "--tokenizer", missing);
    failure(below + ": its folder does not exist", "convert", checkpoint, "-o", below);
    failure(missing, "quantize", missing, out);
    failure(below + ": its folder does not exist", "quantize", tiny, below);
    assertThatThrownBy(() -> ModelOptions.file(null, missing))
        .isExactlyInstanceOf(IOException.class)
        .hasMessageContaining(missing + " does not exist")
        .hasMessageContaining("MURMUR_MODEL");
    assertThat(folder).isEmptyDirectory();
  }

  @Test
  void textFilesAreRecognizedByTheirFirstBytes(@TempDir Path folder) throws Exception {
    Path marked = Files.writeString(folder.resolve("marked"), "\ufeffHello?\n");
    Path plain = Files.writeString(folder.resolve("plain"), "Hello?");
    for (String option : List.of("--prompt-file", "--response-file", "--text-file")) {
      String[] rest =
          switch (option) {
            case "--prompt-file" -> new String[] {"--response", "a"};
            case "--response-file" -> new String[] {"--prompt", "a"};
            default -> new String[0];
          };
      assertThat(score(option, marked, rest).out())
          .isEqualTo(score(option, plain, rest).out())
          .isNotEmpty();
      for (Charset charset : List.of(UTF_16LE, UTF_16BE, Charset.forName("UTF-32LE"))) {
        Path other = Files.write(folder.resolve("other"), "\ufeffHello?".getBytes(charset));
        assertThat(score(option, other, rest).err())
            .contains(other + " is in " + charset.name().substring(0, 6), "iconv -f UTF-");
      }
      for (Charset charset : List.of(UTF_16LE, UTF_16BE)) {
        Path unmarked = Files.write(folder.resolve("unmarked"), "Hello?".getBytes(charset));
        assertThat(score(option, unmarked, rest).err())
            .contains(unmarked + " is no text: its byte ", "iconv -f UTF-16LE -t UTF-8");
      }
      Path packed = folder.resolve("packed");
      try (var gzip = new GZIPOutputStream(Files.newOutputStream(packed))) {
        gzip.write('a');
      }
      assertThat(score(option, packed, rest).err())
          .contains(packed + " is compressed with gzip; unpack it first (gunzip)");
    }
    assertThat(Cli.tiny("\ufeffHello?", Terminal.Kind.PLAIN, "score", "--text-file", "-").out())
        .isEqualTo(score("--text-file", plain).out());
    assertThat(
            Cli.tiny("Hello?\n", Terminal.Kind.PLAIN, "score", "--text-file", "/dev/stdin").out())
        .isEqualTo(score("--text-file", plain).out());
    String packed = folder.resolve("packed").toString();
    failure("is compressed with gzip", "score", "--text", "a", "-m", packed);
    String tiny = TestModels.TINY.toString();
    failure(tiny + ": is a GGUF file", "convert", tiny, "-o", folder.resolve("x").toString());
    failure("is compressed with gzip", "quantize", packed, folder.resolve("x").toString());
    failure(
        "is compressed with gzip",
        "score",
        "--text",
        "a",
        "-m",
        TestModels.TINY.toString(),
        "--value-head",
        packed);
  }

  private static Cli score(String option, Path file, String... rest) {
    List<String> arguments = new ArrayList<>(List.of("score", option, file.toString()));
    arguments.addAll(List.of(rest));
    return Cli.tiny(arguments.toArray(String[]::new));
  }

  @Test
  void anEmptyPromptIsWrongUsage() {
    Cli result = Cli.run("score", "-q", "--prompt", "", "--response", "x");
    assertThat(result.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err().lines()).singleElement().asString().contains("the prompt is empty");
  }

  @Test
  void filesThatAreNoneAreFailures(@TempDir Path folder) throws Exception {
    Path binary = Files.write(folder.resolve("binary"), new byte[] {(byte) 0xff, 1, 2});
    Path large =
        Files.writeString(folder.resolve("large"), "x".repeat(1 << 21), StandardCharsets.UTF_8);
    failure("does not exist", "score", "--prompt-file", "/no/such/file", "--response", "x");
    failure("is a directory", "score", "--prompt", "x", "--response-file", folder.toString());
    failure("is not UTF-8", "score", "--text-file", binary.toString());
    failure("longer than 1048576 bytes", "score", "--text-file", large.toString());
    failure("no such file", "score", "--text", "a", "-m", "/no/such/model.gguf");
    failure("directory", "score", "--text", "a", "-m", folder.toString());
    failure("GGUF", "score", "--text", "a", "-m", binary.toString());
    failure(
        "does not exist",
        "score",
        "--text",
        "a",
        "--value-head",
        "/no/such/head",
        "-m",
        TestModels.TINY.toString());
  }

  private static void failure(String message, String... arguments) {
    List<String> all = new ArrayList<>(List.of(arguments));
    all.add("-q");
    Cli result = Cli.run(all.toArray(String[]::new));
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(result.out()).isEmpty();
    assertThat(result.err().lines())
        .singleElement()
        .asString()
        .startsWith("murmur: ")
        .contains(message);
  }

  @Test
  void verboseAddsTheStackTrace() {
    Cli result = Cli.run("score", "-v", "--prompt", "", "--response", "x");
    assertThat(result.err().lines().skip(1))
        .isNotEmpty()
        .anyMatch(line -> line.contains("at dev.murmuration"));
  }

  @Test
  void withoutACommandTheHelpGoesToStandardError() {
    Cli result = Cli.run();
    assertThat(result.code()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("Usage: murmur", "demo", "Exit codes");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "demo",
        "score",
        "rank",
        "trace",
        "inspect",
        "convert",
        "quantize",
        "devices",
        "bench",
        "completion",
        "help"
      })
  void everyCommandExplainsItself(String command) {
    Cli help = Cli.run(command, "--help");
    assertThat(help.code()).isZero();
    assertThat(help.err()).isEmpty();
    assertThat(help.out())
        .contains("Usage: murmur " + command, "--help", "--quiet")
        .doesNotContain("null");
    assertThat(help.lines()).allSatisfy(line -> assertThat(line.length()).isLessThanOrEqualTo(80));
    assertThat(Cli.run("help", command).out()).isEqualTo(help.out());
  }

  @Test
  void modelOptionsAreExplainedWhereAModelIsUsed() {
    assertThat(Cli.run("score", "--help").out())
        .contains("--model", "-ngl", "--precision", "Default: fast");
    assertThat(Cli.run("devices", "--help").out()).doesNotContain("--precision");
  }

  @Test
  void completionIsAScriptThatKnowsTheCommands() throws Exception {
    Cli result = Cli.run("completion");
    assertThat(result.code()).isZero();
    assertThat(result.out()).contains("score", "--response-file");
    // picocli names its variables by the options' labels: with the same label, one option's values
    // would be the other's.
    assertThat(result.out())
        .contains("PRECISION_option_args=(\"fast\" \"exact\")", "TEMPLATE_option_args=(\"llama2\"")
        .contains("PART_option_args=(\"prefill\" \"best-of\" \"latency\" \"reuse\")");
    Process bash = new ProcessBuilder("bash", "-n").redirectErrorStream(true).start();
    try (var in = bash.getOutputStream()) {
      in.write(result.out().getBytes(StandardCharsets.UTF_8));
    }
    assertThat(bash.waitFor()).isZero();
  }
}
