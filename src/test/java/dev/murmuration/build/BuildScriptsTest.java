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

  @TempDir Path folder;
  private Path copy;

  @BeforeEach
  void copyInputs() throws IOException {
    copy = Files.createDirectory(folder.resolve("a b"));
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
            "sh cat cut sed tr uname grep dirname sha256sum shasum mkdir sysctl rm head tail sleep tee awk wc base64 od sha512sum"
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
        .doesNotContain("npm")
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

  private Path stub(Path bin, String name, String script) throws IOException {
    Path file = bin.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + script + "\n");
    assertThat(file.toFile().setExecutable(true)).isTrue();
    return file;
  }

  @Test
  void withoutNpmTheSourceComesFromGit() throws Exception {
    Path bin = bareSystem();
    for (String tool : List.of("cmake", "c++", "make")) {
      stub(bin, tool, "exit 0");
    }
    stub(bin, "git", "exit 1");
    Result result = build(Map.of("PATH", bin.toString()));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.output())
        .contains("from https://github.com/ggml-org/llama.cpp, tag v")
        .contains("reach https://github.com/ggml-org/llama.cpp with git")
        .contains("install npm")
        .contains("LLAMA_CPP_DIR=DIR");

    // Any other commit under that tag is refused.
    stub(bin, "git", "[ \"$1\" != -C ] || echo 0123456789");
    assertThat(build(Map.of("PATH", bin.toString())).output())
        .contains("holds commit 0123456789")
        .contains("refusing to build it");
  }

  @Test
  void whatNpmGivesIsCheckedWithoutNode() throws Exception {
    Path bin = bareSystem();
    for (String tool : List.of("cmake", "c++", "make", "git")) {
      stub(bin, tool, "exit 0");
    }
    stub(bin, "npm", "echo other > other.tgz; echo other.tgz");
    Result result = build(Map.of("PATH", bin.toString()));
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.output()).contains("is not what native/llama.lock pins");

    Path functions = copy.resolve("native/functions.sh");
    Path check =
        stub(
            bin,
            "check",
            ". '"
                + functions
                + "'; cd '"
                + folder
                + "'; printf abc > abc; has_integrity abc \"$INTEGRITY\"");
    // FIPS 180-2, C.1.
    String abc =
        "sha512-3a81oZNherrMQXNJriBBMRLm+k6JqX6iCp7u5ktV05ohkpkqJ0/BqDa6PCOj/uu9RU1EI2Q86A4qmslPpUyknw==";
    String path = bin.toString();
    assertThat(run(check, Map.of("PATH", path, "INTEGRITY", abc)).exitCode()).isZero();
    for (String wrong : List.of("", "sha512-", abc.replace("3a81", "3a82"), abc.substring(0, 40))) {
      assertThat(run(check, Map.of("PATH", path, "INTEGRITY", wrong)).exitCode())
          .as(wrong)
          .isNotZero();
    }
  }

  @Test
  void theScriptsRunInAPathWithSpacesAndUmlauts() throws Exception {
    // Made by the shell: the JVM of the tests may have no name for it.
    Path sources = Files.createDirectory(folder.resolve("llama.cpp"));
    for (String header :
        List.of("include/llama.h", "ggml/include/ggml.h", "ggml/include/ggml-backend.h")) {
      Files.createDirectories(sources.resolve(header).getParent());
      Files.writeString(sources.resolve(header), "");
    }
    Path jextract =
        stub(
            folder,
            "jextract",
            "if [ \"$1\" = --version ]; then echo 'jextract 25'; else cp -R '"
                + copy.resolve("bindings/java")
                + "' \"$2\"; fi");
    Path script =
        stub(
            folder,
            "script",
            "set -e; cd '"
                + folder
                + "'; moved=$(printf 'a b \\303\\274'); rm -rf \"$moved\"; cp -R 'a b' \"$moved\"\n"
                + "\"$moved/bindings/check.sh\"\n\"$moved/bindings/regenerate.sh\"\n"
                + "\"$moved/bindings/check.sh\"\n\"$moved/native/build.sh\"");
    for (String locale : List.of("POSIX", "C.UTF-8")) {
      Result result =
          run(
              script,
              Map.of(
                  "LC_ALL", locale,
                  "JEXTRACT", jextract.toString(),
                  "LLAMA_CPP_DIR", sources.toString()));
      assertThat(result.output())
          .startsWith("bindings: 9 files")
          // The headers are the right ones for that lock; there is nothing to compile.
          .contains("building llama.cpp")
          .contains("CMake could not configure");
    }
  }

  private static Map<String, String> environmentOfMaven() {
    return Map.of(
        "NATIVE_PORTABLE", System.getProperty("native.portable", "false"),
        "NATIVE_BACKENDS", System.getProperty("native.backends", ""),
        "NATIVE_CUDA", System.getProperty("native.cuda", ""),
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
    Path layouts = copy.resolve("native/shim/layouts.inc");
    String members = Files.readString(layouts);
    Files.writeString(layouts, members.replace("OFFSET(llama_batch, logits)\n", ""));
    assertThat(run(check, Map.of()).output()).contains("native/shim/layouts.inc does not match");
    Files.writeString(layouts, members);

    Files.writeString(
        copy.resolve("native/shim/murmur_shim.h"), "\n", java.nio.file.StandardOpenOption.APPEND);
    assertThat(run(check, Map.of()).output()).contains("murmur_shim.h");
  }
}
