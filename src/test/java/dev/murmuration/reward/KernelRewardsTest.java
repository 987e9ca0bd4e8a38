package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestTexts;
import dev.murmuration.checkpoint.WideModel;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantizer;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Our kernels beside llama.cpp's, which a process of its own computes with. */
@Tag("native")
class KernelRewardsTest {
  private static final List<String> TEXTS = TestTexts.bestOf(2, 4, 12);

  @TempDir static Path directory;
  private static Path wide;

  /** Prints the kernels, and a reward a line, with llama.cpp's. */
  static final class Off {
    public static void main(String[] args) throws Exception {
      System.out.println(Llama.kernels().isEmpty());
      for (String file : args) {
        try (RewardModel model = RewardModel.load(Path.of(file), exact())) {
          model
              .scoreAll(TestTexts.inputs(TEXTS))
              .forEach(reward -> System.out.println(reward.reward()));
        }
      }
    }
  }

  static final class Named {
    public static void main(String[] args) {
      System.out.println(Llama.kernels());
    }
  }

  private static RewardModelOptions exact() {
    return RewardModelOptions.defaults().precision(Precision.EXACT);
  }

  @BeforeAll
  static void write() throws Exception {
    wide = directory.resolve("wide.gguf");
    WideModel.write(wide);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K_M", "Q4_K_M", "Q5_K_M", "Q6_K",
        "IQ4_NL", "IQ4_XS", "BF16"
      })
  void theRewardsAreThoseOfLlamaCppsKernels(String type) throws Exception {
    Path file = directory.resolve(type + ".gguf");
    Quantizer.of(wide).type(QuantizationType.of(type)).quantize(file);
    ChildJvm.Result off = new ChildJvm(Off.class).options("-Dmurmuration.kernels=off").run(file);
    assertThat(off.exitCode()).as(off.err()).isZero();
    List<String> lines = off.out().lines().toList();
    assertThat(lines.getFirst()).isEqualTo("true");
    try (RewardModel model = RewardModel.load(file, exact())) {
      List<Reward> on = model.scoreAll(TestTexts.inputs(TEXTS));
      for (int i = 0; i < TEXTS.size(); i++) {
        // The rewards of these random weights are 5 apart, and exaggerate what both round.
        double llamaCpps = Double.parseDouble(lines.get(i + 1));
        assertThat(on.get(i).reward()).isCloseTo(llamaCpps, within(1.5));
      }
    }
  }

  /** What computes without AMX: the first of these that the processor is for. */
  private static String plainKernels() {
    String features = Llama.systemInfo();
    return Stream.of(
            "AVX512_VNNI avx512-vnni",
            "AVX_VNNI avx-vnni",
            "AVX2 avx2",
            "MATMUL_INT8 neon-i8mm",
            "DOTPROD neon-dotprod")
        .map(line -> line.split(" "))
        .filter(line -> features.contains(line[0] + " = 1"))
        .map(line -> line[1])
        .findFirst()
        .orElse("");
  }

  @Test
  void whatComputesIsNamed() throws Exception {
    String plain = plainKernels();
    assertThat(Llama.kernels()).isIn(plain, plain + ", amx-bf16");
    assertThat(named("", "-Dmurmuration.kernels=no-amx")).isEqualTo(plain);
  }

  /** The variable is asked where the property is not set. */
  @ParameterizedTest
  @ValueSource(strings = {"off", "no-amx", "on", ""})
  void theVariableSaysWhatComputes(String wish) throws Exception {
    String ours = wish.equals("no-amx") ? plainKernels() : Llama.kernels();
    assertThat(named(wish)).isEqualTo(wish.equals("off") ? "" : ours);
    assertThat(named(wish, "-Dmurmuration.kernels=on")).isEqualTo(Llama.kernels());
  }

  @Test
  void aWishThatIsNotKnownIsRefused() throws Exception {
    ChildJvm child = new ChildJvm(Named.class).after("export MURMUR_KERNELS=of");
    ChildJvm.Result result = child.run();
    assertThat(result.exitCode()).isNotZero();
    assertThat(result.err()).contains("MURMUR_KERNELS=of is not known; known: on, off, no-amx");
    result = child.options("-Dmurmuration.kernels=no_amx").run();
    assertThat(result.exitCode()).isNotZero();
    assertThat(result.err()).contains("-Dmurmuration.kernels=no_amx is not known");
  }

  private static String named(String variable, String... options) throws Exception {
    ChildJvm.Result result =
        new ChildJvm(Named.class).after("export MURMUR_KERNELS=" + variable).options(options).run();
    assertThat(result.exitCode()).as(result.err()).isZero();
    return result.out().strip();
  }
}
