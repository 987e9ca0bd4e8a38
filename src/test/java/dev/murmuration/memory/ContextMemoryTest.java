package dev.murmuration.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.LlamaCppLog;
import dev.murmuration.TestModels;
import dev.murmuration.architecture.ModelShape;
import dev.murmuration.checkpoint.Families;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.model.ModelCheck;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The sizes that are computed, against those that llama.cpp reports in its log. */
@Tag("native")
class ContextMemoryTest {
  private static final double MIB = 1 << 20;

  @Test
  void cacheAndComputeBuffer(@TempDir Path directory) throws Exception {
    Path qwen3 = Families.gguf("qwen3-rm", directory); // heads wider than the hidden state
    Path gemma2 = Families.gguf("gemma2-rm", directory); // two caches
    try (LlamaCppLog log = new LlamaCppLog()) {
      for (Path file : new Path[] {TestModels.TINY, TestModels.FLEDGLING, qwen3, gemma2}) {
        ModelShape shape = ModelCheck.check(GgufReader.read(file));
        try (LlamaModel model = LlamaModel.load(file, ModelParameters.DEFAULT, null)) {
          for (int rows : new int[] {64, 512, 2048}) {
            for (int cells : new int[] {2048, 8192}) {
              compare(log, model, shape, context(cells, rows, true, Readout.PRUNED));
              compare(log, model, shape, context(cells, rows, false, Readout.PRUNED));
            }
          }
          compare(log, model, shape, context(2048, 512, true, Readout.EMBEDDINGS));
        }
      }
    }
  }

  private static ContextParameters context(int cells, int rows, boolean fast, Readout readout) {
    return new ContextParameters(
        cells, rows, rows, 32, Math.min(rows, 256), 2, fast, fast, readout);
  }

  private static void compare(
      LlamaCppLog log, LlamaModel model, ModelShape shape, ContextParameters parameters) {
    ContextMemory memory = new ContextMemory(shape, parameters, shape.layers());
    log.forget();
    new LlamaContext(model, parameters).close();
    assertThat(memory.cache() / MIB)
        .as("cache of " + parameters)
        .isCloseTo(log.mebibytes("KV buffer"), within(0.02));
    assertThat(memory.compute() / MIB)
        .as("compute buffer of " + parameters)
        .isCloseTo(log.mebibytes("compute buffer"), within(6.0));
  }
}
