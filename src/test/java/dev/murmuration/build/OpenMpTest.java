package dev.murmuration.build;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** The threads that ggml's CPU backend gets instead of libgomp's, under a program in C++. */
@Tag("unit")
@EnabledOnOs(value = OS.LINUX, disabledReason = "elsewhere ggml brings its own threads")
class OpenMpTest {
  @TempDir Path folder;

  @Test
  void everyBarrierHoldsAndNobodySpinsInVain() throws Exception {
    Path program = folder.resolve("openmp_test");
    String compiled =
        run(
            "g++",
            "-std=c++17",
            "-O2",
            "-fopenmp",
            "-Wl,--wrap=pthread_create",
            "-o",
            program.toString(),
            "src/test/native/openmp_test.cpp",
            "native/openmp/openmp.cpp");
    assertThat(compiled).isEmpty();
    assertThat(run(program.toString())).isEqualTo("ok\n");
  }

  private String run(String... command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(60, TimeUnit.SECONDS);
    process.destroyForcibly();
    assertThat(ended).as("%s ended by itself", command[0]).isTrue();
    return Files.readString(output, StandardCharsets.UTF_8);
  }
}
