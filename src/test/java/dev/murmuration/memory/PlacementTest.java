package dev.murmuration.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.Device;
import java.util.Collections;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Layers of a model of 7 billion weights on GPUs with more and less memory. */
@Tag("unit")
class PlacementTest {
  private static final long MIB = 1L << 20;
  private static final ModelShape MODEL = LargestContextTest.MODEL;
  private static final LayerWeights WEIGHTS =
      new LayerWeights(Collections.nCopies(32, 200 * MIB), 250 * MIB, 0);
  private static final long ALL = 7000 * MIB;

  private static Device gpu(String name, long freeMebibytes) {
    return new Device(name, name, Device.Kind.GPU, freeMebibytes * MIB, freeMebibytes * MIB);
  }

  private static MemoryNeed need(int gpuLayers, Device... devices) {
    Placement placement = Placement.of(WEIGHTS, gpuLayers, List.of(devices));
    WeightMemory weights =
        new WeightMemory(ALL - placement.deviceWeights(), 0, true, false, placement);
    ContextRequest request = ContextRequest.DEFAULTS.threads(2).gpuLayers(gpuLayers).cells(2048);
    ContextSizes sizes = new ContextSizes(MODEL, request, weights.ours(), placement.hostLayers());
    return LargestContext.within(20_000 * MIB, sizes, weights, 2048).need();
  }

  @ParameterizedTest(name = "-ngl {0}: {1} layers and {2} MiB on the GPU")
  @CsvSource({
    "-1, 32, 6650",
    "99, 32, 6650",
    "33, 32, 6650",
    "32, 31, 6450",
    "17, 16, 3450",
    "1, 0, 250"
  })
  void theLastLayersGoToTheGpuAndTheOutputIsOne(int asked, int layers, long weights) {
    MemoryNeed need = need(asked, gpu("GPU0", 20_000));
    DeviceNeed device = need.devices().getFirst();
    assertThat(device.layers()).isEqualTo(layers);
    assertThat(need.hostLayers()).isEqualTo(32 - layers);
    assertThat(device.weights()).isEqualTo(weights * MIB);
    assertThat(need.weights() + device.weights()).isEqualTo(ALL);
    // Half a MiB a token: 2 · 32 layers · 4096 numbers of two bytes.
    assertThat(device.cache() + need.cache()).isEqualTo(1024 * MIB);
    assertThat(device.cache()).isEqualTo(32L * layers * MIB);
    assertThat(need.refusal()).isNull();
  }

  @Test
  void noLayersNoDevice() {
    assertThat(need(0, gpu("GPU0", 20_000)).devices()).isEmpty();
    assertThat(need(-1).devices()).isEmpty();
  }

  @Test
  void severalGpusGetPortionsOfTheirFreeMemory() {
    List<DeviceNeed> devices = need(-1, gpu("GPU0", 12_000), gpu("GPU1", 4_000)).devices();
    assertThat(devices.stream().map(DeviceNeed::layers)).containsExactly(25, 7);
    assertThat(devices.get(1).weights()).isEqualTo((7 * 200 + 250) * MIB);
  }

  @Test
  void whatDoesNotFitIsRefusedWithWhatDoes() {
    MemoryNeed need = need(-1, gpu("GPU0", 4_000));
    assertThat(need.refusal())
        .matches(
            "32 layers on GPU0 need \\d+ MiB there \\(weights 6650, key/value cache 1024, buffers"
                + " \\d+\\), and 4000 MiB are free; what fits: gpuLayers\\(\\d+\\)");
    int fits = Integer.parseInt(need.refusal().replaceAll(".*gpuLayers\\((\\d+)\\)", "$1"));
    assertThat(fits).isBetween(10, 17);
    assertThat(need(fits, gpu("GPU0", 4_000)).refusal()).isNull();
    assertThat(need(fits + 1, gpu("GPU0", 4_000)).refusal()).isNotNull();
  }

  @Test
  void aTiedOutputIsACopy() {
    LayerWeights tied = new LayerWeights(Collections.nCopies(2, 10L), 105, 100);
    Placement placement = Placement.of(tied, -1, List.of(gpu("GPU0", 100)));
    assertThat(placement.shares().stream().map(Placement.Share::weights)).containsExactly(125L);
    assertThat(placement.deviceWeights()).isEqualTo(25);
    assertThat(Stream.of(0, 1, 2, 3).map(n -> placement.withLayers(n).hostLayers()))
        .containsExactly(2, 2, 1, 0);
  }
}
