package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.Texts;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Path;

/**
 * This library with llama.cpp's kernels, which take a process of their own: whether ours compute is
 * decided once. A {@link Child} has them off.
 */
final class OtherKernels {
  private OtherKernels() {}

  /** {@code OtherKernels MODEL.gguf THREADS BATCH MICRO-BATCH}. */
  public static void main(String[] args) throws IOException {
    RewardModelOptions options =
        RewardModelOptions.defaults()
            .threads(Integer.parseInt(args[1]))
            .batchSize(Integer.parseInt(args[2]))
            .microBatchSize(Integer.parseInt(args[3]))
            .reuse(false);
    try (RewardModel model = RewardModel.load(Path.of(args[0]), options)) {
      Peer.serve(
          texts ->
              model.scoreAll(Texts.inputs(texts)).stream().mapToDouble(Reward::reward).toArray());
    }
  }
}
