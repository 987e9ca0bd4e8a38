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

/**
 * Our kernels under the programs in C++ of {@code src/test/native}, which are a project of CMake's:
 * random shapes beside plain sums, each row's bits whatever is computed with it, memory that ends
 * where the numbers do. {@code native/check.sh} runs them with all sanitizers.
 */
@Tag("native")
@EnabledOnOs(value = OS.LINUX, disabledReason = "only there are they built with what this needs")
class KernelsTest {
  @TempDir Path folder;

  /** For this processor, where nothing may be read or written that isn't theirs. */
  @Test
  void theKernelsOfThisProcessorAreRight() throws Exception {
    check("native", "address,undefined");
  }

  /**
   * Those that other processors run; the instructions of AMX and AVX-VNNI are emulated. And which
   * of them the portable build's variants have.
   */
  @Test
  void theKernelsOfOtherProcessorsAreRight() throws Exception {
    check("amx;avx2;avx-vnni;variants", "");
  }

  private void check(String targets, String sanitizers) throws Exception {
    String llama = System.getProperty("llama.cpp.dir", "");
    Path source = llama.isEmpty() ? Path.of("native/build/llama.cpp") : Path.of(llama);
    run(
        "cmake",
        "-S",
        "src/test/native",
        "-B",
        folder.toString(),
        "-DLLAMA_CPP_DIR=" + source.toAbsolutePath(),
        "-DMURMUR_TARGETS=" + targets,
        "-DMURMUR_SANITIZERS=" + sanitizers);
    String processors = String.valueOf(Runtime.getRuntime().availableProcessors());
    run("cmake", "--build", folder.toString(), "--parallel", processors);
    run(
        "cmake",
        "-E",
        "chdir",
        folder.toString(),
        "ctest",
        "--output-on-failure",
        "--parallel",
        processors);
  }

  private void run(String... command) throws IOException, InterruptedException {
    Path output = folder.resolve("output");
    Process process =
        new ProcessBuilder(List.of(command))
            .redirectErrorStream(true)
            .redirectOutput(output.toFile())
            .start();
    boolean ended = process.waitFor(300, TimeUnit.SECONDS);
    process.destroyForcibly();
    String text = Files.readString(output, StandardCharsets.UTF_8);
    assertThat(ended).as("%s ended by itself%n%s", List.of(command), text).isTrue();
    assertThat(process.exitValue()).as("%s%n%s", List.of(command), text).isZero();
  }
}
