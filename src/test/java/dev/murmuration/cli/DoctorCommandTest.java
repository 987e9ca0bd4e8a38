package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What is said of this machine, where scoring works and where it does not. */
@Tag("native")
class DoctorCommandTest {
  private static final String TINY = TestModels.TINY.toString();

  @TempDir Path directory;

  private static JsonNode check(JsonNode diagnosis, String name) {
    for (JsonNode check : diagnosis.get("checks")) {
      if (check.get("check").asText().equals(name)) {
        return check;
      }
    }
    throw new AssertionError("no " + name + " in " + diagnosis);
  }

  @Test
  void whereScoringWorksNothingIsAProblem() throws Exception {
    Cli result = Cli.run("doctor", "--json", "-m", TINY);
    assertThat(result.code()).as(result.out()).isZero();
    JsonNode json = result.json();
    assertThat(json.get("works").asBoolean()).isTrue();
    assertThat(json.get("checks").findValuesAsText("check"))
        .containsExactly(
            "java",
            "system",
            "processor",
            "threads",
            "memory",
            "limits",
            "library",
            "kernels",
            "gpu",
            "cache",
            "scoring",
            "model");
    assertThat(json.get("checks").findValuesAsText("state"))
        .containsAnyOf("ok")
        .doesNotContain("problem");
    assertThat(check(json, "java").get("version").asText())
        .isEqualTo(System.getProperty("java.runtime.version"));
    assertThat(check(json, "memory").get("free_bytes").asLong())
        .isBetween(1L << 20, check(json, "memory").get("total_bytes").asLong());
    assertThat(Path.of(check(json, "library").get("directory").asText()).resolve("MANIFEST"))
        .exists();
    assertThat(check(json, "scoring").get("reward").asDouble()).isBetween(7.25, 7.45);
    assertThat(check(json, "model").get("context_length").asInt()).isEqualTo(2048);
    // The same facts as other commands have.
    assertThat(check(json, "kernels").get("kernels"))
        .isEqualTo(Cli.run("devices", "--json").json().get("kernels"));
    JsonNode inspected = Cli.run("inspect", "--json", TINY).json();
    assertThat(check(json, "model").get("total_bytes"))
        .isEqualTo(inspected.at("/memory/0/total_bytes"));
  }

  @ParameterizedTest
  @ValueSource(ints = {60, 80})
  void itFitsIntoATerminal(int columns) {
    Cli result = Cli.run("", new Terminal.Kind(true, true, columns, false), "doctor", "-m", TINY);
    assertThat(result.err()).isEmpty();
    assertThat(result.lines().getLast()).isEqualTo("Scoring works here.");
    // Names of files are not broken.
    assertThat(result.lines().stream().filter(line -> !line.contains("/")))
        .hasSizeGreaterThan(8)
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(columns));
  }

  @Test
  void aModelThatCannotBeHadIsAProblem() throws Exception {
    Cli missing = Cli.run("doctor", "--json", "-m", "missing.gguf");
    assertThat(missing.code()).isEqualTo(ExitCode.FAILED);
    assertThat(check(missing.json(), "model").get("text").asText()).contains("missing.gguf");
    assertThat(check(missing.json(), "scoring").get("state").asText()).isEqualTo("ok");

    Path damaged = Files.write(directory.resolve("damaged.gguf"), new byte[100]);
    Cli result = Cli.run("doctor", "--json", "-m", damaged.toString());
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    assertThat(check(result.json(), "model").get("text").asText())
        .startsWith(damaged + ": ")
        .contains("GGUF");

    Cli large = Cli.run("doctor", "-m", TINY, "--kv-cells", "16777216", "-ub", "2048");
    assertThat(large.code()).isEqualTo(ExitCode.FAILED);
    assertThat(large.out().replaceAll("\\s+", " "))
        .contains("problem model " + TINY + " would be refused: a context of 2048 tokens needs ")
        .contains("what fits: --kv-cells ")
        .endsWith("Scoring does not work here: see what is a problem. ");
  }

  /** No silent fallback to the processor. */
  @Test
  void aDeviceThatIsAskedForAndCannotBeHadIsAProblem() throws Exception {
    Cli result = Cli.run("doctor", "--json", "--device", "nowhere", "-m", TINY);
    assertThat(result.code()).isEqualTo(ExitCode.FAILED);
    for (String check : List.of("scoring", "model")) {
      assertThat(check(result.json(), check).get("state").asText()).as(check).isEqualTo("problem");
      assertThat(check(result.json(), check).get("text").asText())
          .contains("no device 'nowhere'; there are ");
    }
    assertThat(check(result.json(), "library").get("state").asText()).isEqualTo("ok");
  }

  /** It is of most use where hardly anything works. */
  @Test
  void whereTheLibraryCannotBeLoadedTheRestIsSaidNevertheless() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(Murmur.class)
            .options("-Dmurmuration.native.dir=" + directory)
            .run("doctor", "--json", "-v", "-m", TINY);
    assertThat(result.exitCode()).as(result.err()).isEqualTo(ExitCode.FAILED);
    assertThat(result.err()).isEmpty();
    JsonNode json = new ObjectMapper().readTree(result.out());
    assertThat(json.get("works").asBoolean()).isFalse();
    assertThat(check(json, "library").get("state").asText()).isEqualTo("problem");
    assertThat(check(json, "library").get("text").asText())
        .startsWith(directory + " holds no readable MANIFEST; ");
    assertThat(check(json, "memory").get("state").asText()).isEqualTo("ok");
    assertThat(check(json, "model").get("state").asText()).isEqualTo("ok");
    assertThat(check(json, "cache").get("directory").asText()).isNotEmpty();
  }
}
