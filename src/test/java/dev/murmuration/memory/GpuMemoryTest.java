package dev.murmuration.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.Gpus;
import dev.murmuration.LlamaCppLog;
import dev.murmuration.TestModels;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import dev.murmuration.model.ModelFile;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What is computed of a GPU's memory, against what llama.cpp reports in its log. */
@Tag("gpu")
class GpuMemoryTest {
  private static final double MIB = 1 << 20;

  @ParameterizedTest(name = "{0}, {1} layers, {2} tokens")
  @CsvSource({"tiny, 2, 512", "tiny, -1, 2048", "fledgling, 3, 2048", "fledgling, -1, 512"})
  void whatLlamaCppReports(String name, int layers, int rows) throws Exception {
    Path path = name.equals("tiny") ? TestModels.TINY : TestModels.FLEDGLING;
    ModelFile file = ModelFile.of(GgufReader.read(path));
    ContextRequest request =
        ContextRequest.DEFAULTS.gpuLayers(layers).cells(4096).microBatchSize(rows);
    WeightMemory weights = WeightMemory.of(file.gguf(), file.shape(), request);
    ContextSizes sizes = ContextSizes.here(file.shape(), request, weights);
    MemoryNeed need = LargestContext.need(file, request);
    DeviceNeed device = need.devices().getFirst();
    String gpu = Gpus.first();
    assertThat(device.device()).isEqualTo(gpu);
    assertThat(device.layers() + need.hostLayers()).isEqualTo(file.shape().layers());
    try (LlamaCppLog log = new LlamaCppLog();
        LlamaModel model =
            LlamaModel.load(path, new ModelParameters(layers, null, true, false), null)) {
      assertThat(device.weights() / MIB).isCloseTo(size(log, gpu, "model"), within(0.01));
      log.forget();
      new LlamaContext(model, sizes.context(4096)).close();
      assertThat(device.cache() / MIB).isEqualTo(size(log, gpu, "KV"));
      assertThat(device.buffers() / MIB).isGreaterThan(size(log, gpu, "compute"));
    }
  }

  private static double size(LlamaCppLog log, String gpu, String what) {
    return log.mebibytes(gpu + " +" + what + " buffer");
  }
}
