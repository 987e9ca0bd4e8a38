package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.TestModels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
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
        "score --text a extra | unexpected argument 'extra'",
        "score --text a -t x | 'x' is not a whole number",
        "score --text a -t -1 | threads (--threads) is -1",
        "score --text a -ub 0 | (--ubatch-size) is 0",
        "score --text a -c 1 | (--ctx-size) is 1",
        "score --text a -c 99999999 | (--ctx-size) is 99999999",
        "score --text a -ngl 5 | there is no GPU",
        "score --text a --device GPU7 | no device 'GPU7'",
        "score --text a --precision medium | no precision 'medium'; there are fast and exact",
        "score --text a --template foo | no template 'foo'; there are llama2",
        "score --text a --timeout 0 | --timeout is 0.0 seconds",
        "score --text a --timeout NaN | --timeout is NaN seconds",
        "score --no-truncate -c 4 --text one-two-three-four-five | context holds 4",
        "rank --response x | --prompt is missing",
        "rank --prompt x | --response is missing",
        "bench --lengths x | 'x' is not a whole number",
        "bench --lengths 64,0 | a length (--lengths) is 0; the least is 2",
        "bench --lengths 64,99999 | a length (--lengths) is 99999 tokens; the context holds 2048",
        "bench -c 128 --lengths 64,129 | the context holds 128 (--ctx-size)",
        "bench -c 32 | the context (--ctx-size) holds 32 tokens; bench takes 64 or more",
        "bench --only speed | nothing called 'speed' to measure; there are prefill, best-of",
        "bench --best-of 1 | --best-of is 1; it takes 2 to 1024",
        "bench --seconds 0 | --seconds is 0.0",
        "bench --seconds NaN | --seconds is NaN",
        "help nope | no command 'nope'",
        "inspect | FILE",
        "quantize a.gguf | OUT.gguf",
        "quantize a b --type Q9 | no quantization type 'Q9'; there are F32",
        "quantize a b --type IQ2_XS | needs an importance matrix",
        "quantize a b -t 0 | threads (--threads) is 0; the least is 1",
        "quantize a b -t 513 | threads (--threads) is 513, allowed is 0 to 512",
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
        .contains("Usage: murmur " + command, "--help", "--json")
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
