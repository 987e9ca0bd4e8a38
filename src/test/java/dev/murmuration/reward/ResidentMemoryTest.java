package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.memory.LargestContext;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.memory.MemoryPolicy;
import dev.murmuration.model.ModelFile;
import dev.murmuration.quantize.Quantizer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * What a process takes after it has scored a text of 2048 tokens, against what {@code murmur
 * inspect} says it would.
 */
@Tag("native")
class ResidentMemoryTest {
  /** A cache so large that it would be noticed if it was not counted. */
  private static final int MANY_CELLS = 1 << 17;

  @TempDir Path directory;

  /**
   * Prints the tokens scored, and bytes: resident, computed, and those of it for repacked weights.
   */
  static final class ScoreLongText {
    public static void main(String[] args) throws Exception {
      Path file = Path.of(args[0]);
      RewardModelOptions options = options(args[1], args[2]);
      MemoryNeed need = need(file, options);
      try (RewardModel model = RewardModel.load(file, options)) {
        Reward reward = model.score("Tell me a story.", "word ".repeat(3000));
        System.out.println(reward.tokens());
        Process ps =
            new ProcessBuilder("ps", "-o", "rss=", "-p", "" + ProcessHandle.current().pid())
                .start();
        String kib = new String(ps.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.println(Long.parseLong(kib.strip()) << 10);
        System.out.println(need.total());
        System.out.println(need.repacked());
      }
    }
  }

  private static RewardModelOptions options(String precision, String cells) {
    return RewardModelOptions.defaults()
        .precision(Precision.of(precision))
        .threads(2)
        .cells(Integer.parseInt(cells));
  }

  private static MemoryNeed need(Path file, RewardModelOptions options) throws Exception {
    return LargestContext.need(ModelFile.of(GgufReader.read(file)), options.values().context);
  }

  private static void requireAsComputed(Path file, Precision precision, int cells)
      throws Exception {
    var _ = repackedIfAsComputed(file, precision, cells, "on");
  }

  /** Returns the bytes for repacked weights. */
  private static long repackedIfAsComputed(
      Path file, Precision precision, int cells, String kernels) throws Exception {
    ChildJvm.Result result =
        new ChildJvm(ScoreLongText.class)
            .options("-Xmx64m", "-XX:+UseSerialGC", "-Dmurmuration.kernels=" + kernels)
            .run(file, precision.label(), cells);
    assertThat(result.exitCode()).as(result.err()).isZero();
    long[] numbers = result.out().lines().mapToLong(Long::parseLong).toArray();
    assertThat(numbers[0]).isEqualTo(2048);
    // Below: places of logits, and of a fuller cache's attention, that were reserved and not used.
    assertThat(numbers[1])
        .as("bytes resident")
        .isBetween(numbers[2] - 200_000_000, numbers[2] + MemoryPolicy.OVERHEAD);
    return numbers[3];
  }

  @ParameterizedTest
  @EnumSource
  void randomWeights(Precision precision) throws Exception {
    requireAsComputed(TestModels.TINY, precision, 0);
  }

  @Test
  void aLargeCache() throws Exception {
    MemoryNeed need =
        need(TestModels.FLEDGLING, options(Precision.FAST.label(), String.valueOf(MANY_CELLS)));
    assertThat(need.cache()).isGreaterThan(MemoryPolicy.OVERHEAD);
    requireAsComputed(TestModels.FLEDGLING, Precision.FAST, MANY_CELLS);
  }

  @Test
  void onlyLlamaCppsKernelsHaveWeightsTwice() throws Exception {
    Path file = directory.resolve("q4_0.gguf");
    var _ = Quantizer.of(TestModels.FLEDGLING).type(QuantizationType.of("Q4_0")).quantize(file);
    assertThat(repackedIfAsComputed(file, Precision.FAST, 0, "off")).isPositive();
    long ours = repackedIfAsComputed(file, Precision.FAST, 0, "on");
    assertThat(ours == 0).isEqualTo(!Llama.kernels().isEmpty());
  }
}
