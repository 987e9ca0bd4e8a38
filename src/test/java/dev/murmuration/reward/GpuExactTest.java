package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.Gpus;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * What {@code exact} means on a GPU. In a process of its own: the first model decides how the GPU
 * computes.
 */
@Tag("gpu")
@Tag("exact")
class GpuExactTest {
  @ParameterizedTest(name = "{0}, {1} layers: within {2}")
  @CsvSource({
    "tiny, 0, 5e-5",
    "tiny, 2, 5e-5",
    "tiny, -1, 5e-5",
    "fledgling, 0, 2e-3",
    "fledgling, 3, 2e-3",
    "fledgling, -1, 2e-3"
  })
  void golden(String model, int layers, double tolerance) throws Exception {
    assertThat(Gpus.all()).isNotEmpty();
    GpuGolden.check(
        model, GpuGolden.options().precision(Precision.EXACT).gpuLayers(layers), tolerance);
  }

  @ParameterizedTest
  @CsvSource({"tiny, 1e-4", "fledgling, 4e-3"})
  void otherTextsMatterLittle(String model, double tolerance) throws Exception {
    RewardModelOptions options = GpuGolden.options().precision(Precision.EXACT).reuse(false);
    assertThat(GpuGolden.spread(model, options)).isLessThanOrEqualTo(tolerance);
  }
}
