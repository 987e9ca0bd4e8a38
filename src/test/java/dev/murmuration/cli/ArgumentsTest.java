package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is read of the process itself: arguments, environment, standard input. */
@Tag("native")
class ArgumentsTest {
  /** In octal, since the JVM of the tests may itself be unable to hand such arguments on. */
  private static final String QUESTION = "\\351\\227\\256\\351\\242\\230";

  private static final String HELLO = "\\344\\275\\240\\345\\245\\275";
  private static final String GOODBYE = "\\345\\206\\215\\350\\247\\201";

  @TempDir Path folder;

  private static ChildJvm.Result murmur(String shell, Object... arguments) throws Exception {
    return new ChildJvm(Murmur.class)
        .options("-XX:TieredStopAtLevel=1")
        .after(shell)
        .run(arguments);
  }

  private static String append(String option, String octal) {
    return "set -- \"$@\" " + option + " \"$(printf '" + octal + "')\"";
  }

  @Test
  void argumentsAreUtf8WhereTheLocaleIsNotInstalled() throws Exception {
    Cli right =
        Cli.run(
            "rank",
            "-q",
            "--prompt",
            "\u95ee\u9898",
            "--response",
            "\u4f60\u597d",
            "--response",
            "\u518d\u89c1");
    assertThat(right.out()).contains("-5.3").contains("-5.8");
    ChildJvm.Result result =
        murmur(
            "export LC_ALL=xx_XX.UTF-8; "
                + append("--prompt", QUESTION)
                + "; "
                + append("--response", HELLO)
                + "; "
                + append("--response", GOODBYE),
            "rank",
            "-q");
    assertThat(result.out()).isEqualTo(right.out());
  }

  @Test
  void anArgumentThatIsNoUtf8IsRefused() throws Exception {
    for (String locale : new String[] {"C", "C.UTF-8"}) {
      ChildJvm.Result result =
          murmur(
              "export LC_ALL=" + locale + "; " + append("--response", "caf\\351"),
              "score",
              "--prompt",
              "Hi");
      assertThat(result.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
      assertThat(result.out()).isEmpty();
      assertThat(result.err())
          .contains("argument 5 is not UTF-8: 'caf\\xe9'")
          .contains("iconv -t UTF-8")
          .contains("--response-file");
    }
  }

  @Test
  void namesOfFilesThatJavaCannotReadAreRefused() throws Exception {
    ChildJvm.Result option =
        murmur("export LC_ALL=C; " + append("-m", "/tmp/m\\303\\274"), "score", "--prompt", "Hi");
    assertThat(option.err()).contains("'/tmp/m\u00fc'").contains("LC_ALL=C.UTF-8");
    ChildJvm.Result variable =
        murmur(
            "export LC_ALL=C.UTF-8 MURMUR_MODEL=\"$(printf '/tmp/m\\374')\"",
            "score",
            "--prompt",
            "Hi",
            "--response",
            "Hi");
    assertThat(variable.err()).contains("MURMUR_MODEL is not a name in UTF-8");
    assertThat(variable.exitCode()).isEqualTo(ExitCode.WRONG_USAGE);
  }

  @Test
  void aClosedStandardInputIsNotReadFromAFileOfTheJvm() throws Exception {
    ChildJvm.Result result = murmur("exec <&-", "score", "-");
    assertThat(result.out()).isEmpty();
    assertThat(result.err()).contains("standard input is closed");
    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
  }

  @Test
  void aClosedStandardOutputIsAFailure() throws Exception {
    ChildJvm.Result result =
        murmur("exec >&-", "score", "-q", "--prompt", "Hi", "--response", "Hi");
    assertThat(result.err()).contains("cannot write to standard output");
    assertThat(result.exitCode()).isEqualTo(ExitCode.FAILED);
  }

  @Test
  void whatTheSystemKnowsTakesThePlaceOfWhatJavaDecoded() throws IOException {
    Path commandLine = folder.resolve("cmdline");
    String[] meant = {"score", "", "\u95ee", "\ufffd", "Hi"};
    Files.writeString(commandLine, "java\0" + String.join("\0", meant) + "\0");
    String[] decoded = {"score", "", "\ufffd\ufffd\ufffd", "\ufffd\ufffd\ufffd", "Hi"};
    assertThat(Arguments.decode(decoded, commandLine)).isEqualTo(meant);
    assertThat(Arguments.decode(new String[] {"Hi"}, folder)).containsExactly("Hi");
    assertThat(Arguments.decode(new String[0], folder)).isEmpty();
  }

  @Test
  void withoutTheBytesAReplacementIsRefused() throws IOException {
    String[] decoded = {"--prompt", "caf\ufffd"};
    assertThatThrownBy(() -> Arguments.decode(decoded, folder.resolve("none")))
        .hasMessageContaining("argument 2 is not UTF-8")
        .isInstanceOf(IllegalArgumentException.class);
    // "java @file": the arguments are not on the command line.
    Path commandLine = folder.resolve("cmdline");
    Files.write(commandLine, "java\0-v\0@file\0".getBytes(StandardCharsets.UTF_8));
    assertThatThrownBy(() -> Arguments.decode(decoded, commandLine))
        .hasMessageContaining("argument 2 is not UTF-8");
    assertThat(Arguments.decode(new String[] {"-v", "caf\u00e9"}, commandLine))
        .containsExactly("-v", "caf\u00e9");
  }
}
