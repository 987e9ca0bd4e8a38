package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The benchmark of llama.cpp, or of a fork of it: prefill of random tokens, logits of the last one,
 * after a warm-up.
 *
 * @param name what it is called in the results
 * @param options what it is started with besides
 */
record LlamaBench(String name, Path program, List<String> options, Settings settings, Path log) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** llama.cpp's; null if it is not there. */
  static LlamaBench of(Path tools, Settings settings, Path logs) {
    Path program = tools.resolve("llama-bench");
    return Contenders.present(
            Files.isExecutable(program), "llama-bench", "native/tools.sh builds it")
        ? new LlamaBench(
            Comparison.BENCH,
            program,
            List.of("--flash-attn", "on"),
            settings,
            logs.resolve("llama-bench.log"))
        : null;
  }

  /** ik_llama.cpp's as it is and with weights that it repacks; none if no folder is named. */
  static List<LlamaBench> ofIk(String folder, Settings settings, Path logs) {
    if (!Contenders.present(
        !folder.isEmpty(), "ik_llama.cpp", "-Dcomparison.ik names the folder of its llama-bench")) {
      return List.of();
    }
    Path program = Path.of(folder, "llama-bench");
    Path log = logs.resolve("ik-llama-bench.log");
    return List.of(
        new LlamaBench(Comparison.IK, program, List.of("-fa", "1"), settings, log),
        new LlamaBench(
            Comparison.IK_REPACKED, program, List.of("-fa", "1", "-rtr", "1"), settings, log));
  }

  /** Seconds for the prefill of so many tokens, by its own clock: the mean of some. */
  double prefill(int tokens, int repetitions) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                program.toString(),
                "--model",
                settings.model().toString(),
                "--n-prompt",
                String.valueOf(tokens),
                "--n-gen",
                "0",
                "--repetitions",
                String.valueOf(repetitions),
                "--batch-size",
                String.valueOf(settings.batch()),
                "--ubatch-size",
                String.valueOf(settings.microBatch()),
                "--threads",
                String.valueOf(settings.threads()),
                "--output",
                "json"));
    command.addAll(options);
    try (Child child = Child.start(command, log, true);
        InputStream out = child.process().getInputStream()) {
      JsonNode results = JSON.readTree(out);
      if (!results.isArray() || results.isEmpty()) {
        throw new IOException(name + " gave no result; " + log + " says why");
      }
      return results.get(0).get("avg_ns").asLong() / 1e9;
    }
  }
}
