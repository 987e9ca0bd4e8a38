package dev.murmuration.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * Our kernels for this processor, under a program in C++: products of random shapes beside plain
 * sums, each row's bits whatever is computed with it, memory that ends where the numbers do.
 */
@Tag("native")
@EnabledOnOs(value = OS.LINUX, disabledReason = "only there are they built with what this needs")
class KernelsTest {
  private static final int CASES = 1000;

  @TempDir Path folder;

  @Test
  void everyProductIsRight() throws Exception {
    Path program = folder.resolve("kernels_test");
    Path llama = Path.of(System.getProperty("llama.cpp.dir", "native/build/llama.cpp"));
    if (llama.toString().isEmpty()) {
      llama = Path.of("native/build/llama.cpp");
    }
    Path libraries;
    try (Stream<Path> platforms = Files.list(Path.of("native/build/current/META-INF/native"))) {
      libraries = platforms.findFirst().orElseThrow().toAbsolutePath();
    }
    List<String> compile =
        new ArrayList<>(
            List.of(
                "g++",
                "-std=c++17",
                "-O1",
                "-march=native",
                "-fsanitize=address,undefined",
                "-fno-sanitize-recover=all",
                "-Wall",
                "-Wextra",
                "-Werror",
                "-Wno-maybe-uninitialized",
                "-Wno-uninitialized",
                "-I" + llama.resolve("ggml/include"),
                "-I" + llama.resolve("ggml/src"),
                "-Inative/kernels",
                "-o",
                program.toString(),
                "src/test/native/kernels_test.cpp"));
    try (Stream<Path> sources = Files.list(Path.of("native/kernels"))) {
      sources
          .filter(file -> file.getFileName().toString().startsWith("product_"))
          .forEach(file -> compile.add(file.toString()));
    }
    compile.add(libraries.resolve("libggml-base.so.0").toString());
    compile.add("-Wl,-rpath," + libraries);
    assertThat(run(compile)).isEmpty();
    assertThat(run(List.of(program.toString(), String.valueOf(CASES)))).isEqualTo("ok\n");
  }

  private String run(List<String> command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(300, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertThat(ended).as("%s ended by itself", command.getFirst()).isTrue();
    return Files.readString(output, StandardCharsets.UTF_8);
  }
}
