package dev.murmuration.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * The shell scripts around the native build, in a copy of what they read, up to where compiling
 * would begin.
 */
@Tag("unit")
class BuildScriptsTest {
  private static final Path ROOT = Path.of("").toAbsolutePath();

  private record Result(int exitCode, String output) {}

  @TempDir Path copy;

  @BeforeEach
  void copyInputs() throws IOException {
    for (String folder : List.of("native", "bindings")) {
      Path from = ROOT.resolve(folder);
      List<Path> files;
      try (Stream<Path> all = Files.walk(from)) {
        files =
            all.filter(Files::isRegularFile)
                .filter(file -> !file.startsWith(from.resolve("build")))
                .toList();
      }
      for (Path file : files) {
        Path to = copy.resolve(ROOT.relativize(file));
        Files.createDirectories(to.getParent());
        Files.copy(file, to);
      }
    }
  }

  private static Result run(Path script, Map<String, String> environment)
      throws IOException, InterruptedException {
    ProcessBuilder builder = new ProcessBuilder(script.toString()).redirectErrorStream(true);
    builder.environment().keySet().removeIf(name -> name.startsWith("NATIVE_"));
    builder.environment().remove("LLAMA_CPP_DIR");
    builder.environment().putAll(environment);
    Process process = builder.start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Result(process.waitFor(), output);
  }

  private Result build(Map<String, String> environment) throws IOException, InterruptedException {
    return run(copy.resolve("native/build.sh"), environment);
  }

  /** A folder with the tools of a bare system, and no others. */
  private Path bareSystem() throws IOException {
    Path bin = Files.createDirectory(copy.resolve("bin"));
    for (String tool :
        List.of(
            "sh cat cut sed tr uname grep dirname sha256sum shasum mkdir sysctl rm head tail sleep tee awk wc"
                .split(" ", -1))) {
      for (String folder : List.of("/usr/bin", "/bin", "/usr/sbin")) {
        Path found = Path.of(folder, tool);
        if (Files.isExecutable(found) && !Files.exists(bin.resolve(tool))) {
          Path wrapper = bin.resolve(tool);
          Files.writeString(wrapper, "#!/bin/sh\nexec " + found + " \"$@\"\n");
          assertThat(wrapper.toFile().setExecutable(true)).isTrue();
        }
      }
    }
    return bin;
  }

  @Test
  void missingToolsAreNamedWithTheirPackages() throws Exception {
    Result result = build(Map.of("PATH", bareSystem().toString()));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.output())
        .contains("missing: cmake c++ make git")
        .contains("apt-get install cmake")
        .contains("brew install cmake");
  }

  @Test
  void anUnknownBackendIsRefused() throws Exception {
    Result result = build(Map.of("NATIVE_BACKENDS", "cuda,opengl"));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.output())
        .contains("unknown backend 'opengl'")
        .contains("cuda, metal, vulkan");
  }

  @Test
  void aNamedDirectoryMustHoldThePinnedSource() throws Exception {
    Result empty = build(Map.of("LLAMA_CPP_DIR", copy.resolve("nowhere").toString()));
    assertThat(empty.exitCode()).isEqualTo(1);
    assertThat(empty.output()).contains("nowhere holds no include/llama.h");

    Path other = copy.resolve("llama.cpp");
    for (String header :
        List.of("include/llama.h", "ggml/include/ggml.h", "ggml/include/ggml-backend.h")) {
      Files.createDirectories(other.resolve(header).getParent());
      Files.writeString(other.resolve(header), "// another version\n");
    }
    Result wrong = build(Map.of("LLAMA_CPP_DIR", other.toString()));
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.output()).contains("are not those that the bindings were generated from");
  }

  @Test
  void whatIsUpToDateIsLeftAlone() throws Exception {
    Path build = Files.createDirectories(copy.resolve("native/build/current"));
    Result stale = build(Map.of("LLAMA_CPP_DIR", copy.resolve("nowhere").toString()));
    assertThat(stale.exitCode()).isEqualTo(1);
    // The project's own build has just been made by Maven: it says nothing and does nothing.
    Result fresh = run(ROOT.resolve("native/build.sh"), environmentOfMaven());
    assertThat(fresh).isEqualTo(new Result(0, ""));
    assertThat(build).isEmptyDirectory();
  }

  private static Map<String, String> environmentOfMaven() {
    return Map.of(
        "NATIVE_PORTABLE", System.getProperty("native.portable", "false"),
        "NATIVE_BACKENDS", System.getProperty("native.backends", ""),
        "LLAMA_CPP_DIR", System.getProperty("llama.cpp.dir", ""));
  }

  @Test
  void bindingsThatAreNotWhatTheLockSaysFailTheBuild() throws Exception {
    Path check = copy.resolve("bindings/check.sh");
    assertThat(run(check, Map.of())).isEqualTo(new Result(0, ""));

    Path generated = copy.resolve("bindings/java/dev/murmuration/llama/bindings/llama_batch.java");
    String original = Files.readString(generated);
    Files.writeString(generated, original + "// edited by hand\n");
    Result edited = run(check, Map.of());
    assertThat(edited.exitCode()).isEqualTo(1);
    assertThat(edited.output()).contains("bindings/java does not match").contains("regenerate.sh");

    Files.writeString(generated, original);
    Files.writeString(
        copy.resolve("native/shim/murmur_shim.h"), "\n", java.nio.file.StandardOpenOption.APPEND);
    assertThat(run(check, Map.of()).output()).contains("murmur_shim.h");
  }
}
