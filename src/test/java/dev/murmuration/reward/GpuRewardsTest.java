package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.Gpus;
import dev.murmuration.LlamaCppLog;
import dev.murmuration.TestModels;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.DecodeAbortedException;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.llama.ModelParameters;
import java.time.Duration;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Rewards, offloading and cancelling on a GPU, with {@code fast}. */
@Tag("gpu")
class GpuRewardsTest {
  /** 2048 tokens: many decodes. */
  private static final String LONG = "all right ".repeat(1100);

  @ParameterizedTest(name = "{0}, {1} layers: within {2}")
  @CsvSource({
    "tiny, 0, 5e-3",
    "tiny, 2, 5e-3",
    "tiny, -1, 5e-3",
    "fledgling, 0, 1e-2",
    "fledgling, 3, 3e-2",
    "fledgling, -1, 3e-2"
  })
  void golden(String model, int layers, double tolerance) throws Exception {
    assertThat(Gpus.all()).isNotEmpty();
    GpuGolden.check(model, GpuGolden.options().gpuLayers(layers), tolerance);
  }

  @Test
  void layersLieWhereTheyAreAskedFor() throws Exception {
    String gpu = Gpus.first();
    try (LlamaCppLog log = new LlamaCppLog()) {
      RewardModelOptions options = GpuGolden.options();
      score(options.gpuLayers(0));
      assertThat(log.text()).doesNotContain(gpu + " model buffer").doesNotContain(gpu + " compute");
      log.forget();
      score(options.device("cpu"));
      assertThat(log.text()).doesNotContain(gpu + " model buffer").doesNotContain(gpu + " compute");
      log.forget();
      score(options.gpuLayers(2));
      assertThat(log.text()).contains("offloaded 2/3 layers to GPU").contains(gpu + " KV buffer");
      log.forget();
      score(options);
      assertThat(log.text()).contains("offloaded 3/3 layers to GPU").contains(gpu + " KV buffer");
      assertThat(log.text()).doesNotContain("CPU KV buffer");
    }
  }

  @ParameterizedTest
  @CsvSource({"tiny, 5e-3", "fledgling, 3e-2"})
  void otherTextsMatterLittle(String model, double tolerance) throws Exception {
    assertThat(GpuGolden.spread(model, GpuGolden.options().reuse(false)))
        .isLessThanOrEqualTo(tolerance);
  }

  private static double score(RewardModelOptions options) throws Exception {
    try (RewardModel model = RewardModel.load(TestModels.TINY, options)) {
      return model.score("Hello?", "Hi").reward();
    }
  }

  @Test
  void bothReadOutsGiveTheSameReward() throws Exception {
    RewardModelOptions options = GpuGolden.options();
    assertThat(score(options)).isCloseTo(score(options.everyOutput(true)), within(1e-2));
  }

  @ParameterizedTest
  @EnumSource(ContextParameters.Readout.class)
  void aDecodeIsCancelled(ContextParameters.Readout readout) {
    ContextParameters parameters =
        new ContextParameters(256, 64, 64, 1, 64, 1, true, true, readout);
    try (LlamaModel model = LlamaModel.load(TestModels.TINY, ModelParameters.DEFAULT, null);
        LlamaContext context = new LlamaContext(model, parameters)) {
      context.add(1, true, 0);
      float[] before = context.decode();
      context.clear();
      context.cancel(true);
      context.add(1, true, 0);
      assertThatThrownBy(context::decode).isInstanceOf(DecodeAbortedException.class);
      context.cancel(false);
      context.add(1, true, 0);
      assertThat(context.decode()).isEqualTo(before);
    }
  }

  @Test
  void aCallThatRunsOutOfTimeEndsAndTheModelGoesOn() throws Exception {
    Gate gate = new Gate();
    try (RewardModel model =
        RewardModel.load(TestModels.TINY, GpuGolden.options().probe(gate::pass).reuse(false))) {
      double before = model.score("Hello?", "Hi").reward();
      gate.shut();
      CallOptions soon = CallOptions.defaults().timeout(Duration.ofMillis(200));
      assertThatThrownBy(() -> model.score(Input.text(LONG), soon))
          .isInstanceOf(ScoringTimeoutException.class);
      gate.open();
      assertThat(model.score("Hello?", "Hi").reward()).isEqualTo(before);
    }
  }
}
