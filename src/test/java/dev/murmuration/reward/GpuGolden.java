package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** The golden rewards of a model with some of its layers on a GPU. */
final class GpuGolden {
  private static final int ROWS = Integer.getInteger("murmuration.gpu.rows", 512);

  private GpuGolden() {}

  /**
   * Options with the most rows that a GPU shall compute at once. From 65 on lavapipe takes a kernel
   * that its compiler needs minutes for.
   */
  static RewardModelOptions options() {
    return RewardModelOptions.defaults().microBatchSize(ROWS);
  }

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

  /**
   * How far a text's reward is from its own when other texts are computed beside it and were
   * before. Prints it.
   */
  static double spread(String model, RewardModelOptions options) throws Exception {
    double most = 0;
    try (RewardModel loaded = RewardModel.load(file(model), options)) {
      List<Input> inputs = rows(model).stream().<Input>map(row -> Input.text(row.text())).toList();
      List<Reward> together = loaded.scoreAll(inputs);
      for (int i = 0; i < inputs.size(); i++) {
        most =
            Math.max(
                most, Math.abs(loaded.score(inputs.get(i)).reward() - together.get(i).reward()));
      }
    }
    System.out.printf(
        Locale.ROOT,
        "%s, %s: alone and together within %.2g%n",
        model,
        options.precision().label(),
        most);
    return most;
  }
}
