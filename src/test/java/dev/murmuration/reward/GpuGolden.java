package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** The golden rewards of a model with some of its layers on a GPU. */
final class GpuGolden {
  private GpuGolden() {}

  static Path file(String model) {
    return model.equals("tiny") ? TestModels.TINY : TestModels.FLEDGLING;
  }

  static List<Golden> rows(String model) {
    return model.equals("tiny") ? TestModels.tinyGolden() : TestModels.fledglingGolden();
  }

  /** No reward is further from PyTorch's than {@code tolerance}. Prints how far the furthest is. */
  static void check(String model, RewardModelOptions options, double tolerance) throws Exception {
    double most = 0;
    String id = "";
    try (RewardModel loaded = RewardModel.load(file(model), options)) {
      for (Golden row : rows(model)) {
        double off = Math.abs(loaded.score(Input.text(row.text())).reward() - row.reward());
        if (!(off <= most)) {
          most = off;
          id = row.id();
        }
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%s, %s, %d layers asked for on the GPU: within %.2g (%s)%n",
        model,
        options.precision().label(),
        options.gpuLayers(),
        most,
        id);
    assertThat(most).as(id).isLessThanOrEqualTo(tolerance);
  }
}
