package dev.murmuration.benchmarks.comparison;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;

/** llama.cpp's benchmark: prefill of random tokens, logits of the last one, after a warm-up. */
record LlamaBench(Path program, Settings settings, Path log) {
  private static final ObjectMapper JSON = new ObjectMapper();

  /** Seconds for the prefill of so many tokens, by its own clock: the mean of some. */
  double prefill(int tokens, int repetitions) throws IOException {
    List<String> command =
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
            "--flash-attn",
            "on",
            "--output",
            "json");
    try (Child child = Child.start(command, log, true);
        InputStream out = child.process().getInputStream()) {
      JsonNode results = JSON.readTree(out);
      if (!results.isArray() || results.isEmpty()) {
        throw new IOException("llama-bench gave no result; " + log + " says why");
      }
      return results.get(0).get("avg_ns").asLong() / 1e9;
    }
  }
}
