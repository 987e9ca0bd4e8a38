package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.memory.ContextRequest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What {@code murmur serve} refuses before it loads anything. */
@Tag("native")
class ServeCommandTest {
  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "--port 70000 | --port is 70000; it takes 0 to 65535",
        "--port x | 'x' is not a whole number",
        "--host 0.0.0.0 | give them a key with --api-key-file FILE",
        "--host :: | or let anybody ask with --insecure",
        "--host= | --host is '', which is no address",
        "--host nowhere.invalid | --host is 'nowhere.invalid', which is no address",
        "--tls-cert a.pem | --tls-cert and --tls-key belong together",
        "--cors example.org | --cors is 'example.org'; it takes an origin",
        "--cors https://example.org/page | it takes an origin such as https://example.org",
        "--timeout 0 | --timeout is 0",
        "--max-texts 0 | --max-texts is 0; it takes 1 to 100000",
        "--max-body 1000 | --max-body is 1000; it takes 1 to 256",
        "--queue 0 | --queue is 0; it takes 1024 to 1000000",
        "--queue 10 | --queue is 10; it takes 1024 to 1000000",
        "--max-texts 2 --queue 1 | --queue is 1; it takes 2 to",
        "-m a=x.gguf -m a=y.gguf | two models are called a",
        "-m d/x.gguf -m e/x.gguf | two models are called x; give one another name with -m"
            + " NAME=FILE",
        "-m - | - would be standard input",
        "-t 0 | --threads is 0",
        "--api-key secret | no option '--api-key'",
      })
  void wrongUsageIsRefused(String arguments, String message) {
    String[] all = ("serve " + arguments).split(" ");
    Cli result = Cli.run(all);
    assertThat(result.code()).as(result.err()).isEqualTo(ExitCode.WRONG_USAGE);
    assertThat(result.err()).contains(message);
    assertThat(result.err().lines()).hasSize(1);
  }

  @Test
  void aKeyIsReadFromAFile(@TempDir Path folder) throws IOException {
    for (String bad : List.of("", "short", "sixteen characters", "sixteen-charactérs")) {
      Path file = Files.writeString(folder.resolve("key"), bad + "\nmore\n");
      Cli result = Cli.run("serve", "--host", "0.0.0.0", "--api-key-file", file.toString());
      assertThat(result.code()).isEqualTo(ExitCode.WRONG_USAGE);
      assertThat(result.err()).contains("holds no key").contains("openssl rand -hex 32");
    }
    Cli missing = Cli.run("serve", "--api-key-file", folder.resolve("none").toString());
    assertThat(missing.code()).isEqualTo(ExitCode.FAILED);
    assertThat(missing.err()).contains("none does not exist");
    Files.writeString(folder.resolve("key"), "0123456789abcdef0123456789abcdef\n");
    // All is well but the model.
    Cli result =
        Cli.run(
            "serve",
            "--api-key-file",
            folder.resolve("key").toString(),
            "-m",
            folder.resolve("none.gguf").toString());
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).contains("none.gguf: there is no such file");
  }

  @Test
  void modelsAreNamed(@TempDir Path folder) throws IOException {
    assertThat(ServedFile.all(List.of("a/rm.gguf", "other=b/rm.gguf")))
        .containsExactly(
            new ServedFile("rm", Path.of("a/rm.gguf")),
            new ServedFile("other", Path.of("b/rm.gguf")));
    Path odd = Files.createFile(folder.resolve("a=b.gguf"));
    assertThat(ServedFile.all(List.of(odd.toString()))).containsExactly(new ServedFile("a=b", odd));
  }

  @Test
  void theMemoryOfAllIsCheckedTogether() throws IOException {
    List<ServedFile> files =
        List.of(
            new ServedFile("tiny", TestModels.TINY),
            new ServedFile("fledgling", TestModels.FLEDGLING));
    ServedFile.requireMemory(files, ContextRequest.DEFAULTS);
    assertThatThrownBy(() -> ServedFile.requireMemory(files, ContextRequest.DEFAULTS, 1 << 20))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageMatching(
            "the models need \\d+ MiB together beside their mapped files \\(tiny \\d+ MiB,"
                + " fledgling \\d+ MiB\\), and 1 MiB are free; .*");
  }
}
