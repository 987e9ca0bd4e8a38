package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.TestTexts;
import dev.murmuration.checkpoint.Families;
import dev.murmuration.checkpoint.WideModel;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantizer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * A text's reward does not depend on what is computed beside it or was computed before it, on how
 * many tokens are computed at once, or on how many threads compute: each text alone beside all in
 * random order, at once and one by one, after other texts. Where our kernels compute, nothing is
 * added to a text for that; without them {@code exact} fills texts up.
 */
@Tag("native")
class BatchInvarianceTest {
  private static final String MXFP4 = "MXFP4";

  /** What our kernels compute with; MXFP4 is no mix of llama.cpp's for a model without experts. */
  private static final List<String> TYPES =
      List.of(
          "F32", "F16", "BF16", "Q8_0", "Q4_0", "Q4_1", "Q5_0", "Q5_1", "Q2_K", "Q3_K_M", "Q4_K_M",
          "Q5_K_M", "Q6_K", "IQ4_NL", "IQ4_XS", MXFP4);

  /** How it is computed. */
  private record Way(int threads, int microBatch, boolean together) {}

  private static final List<Way> WAYS =
      List.of(
          // More threads than processors wait for each other at every step: few decodes for them.
          new Way(2, 64, false),
          new Way(4, 512, true),
          new Way(1, 256, false),
          new Way(3, 128, true),
          new Way(2, 2048, true));

  @TempDir static Path directory;

  private static Path wide;

  @BeforeAll
  static void write() throws Exception {
    wide = directory.resolve("wide.gguf");
    WideModel.write(wide);
    WideModel.writeMxfp4(directory.resolve(MXFP4 + ".gguf"));
  }

  private static Path quantized(String type) throws Exception {
    Path file = directory.resolve(type + ".gguf");
    if (Files.notExists(file)) {
      Quantizer.of(wide).type(QuantizationType.of(type)).quantize(file);
    }
    return file;
  }

  /** {@code fast} as well where our kernels compute. */
  static Precision[] precisions() {
    return Llama.kernels().isEmpty() ? new Precision[] {Precision.EXACT} : Precision.values();
  }

  static Stream<Arguments> typesAndPrecisions() {
    return TYPES.stream()
        .flatMap(type -> Arrays.stream(precisions()).map(one -> Arguments.of(type, one)));
  }

  /** Texts whose rewards are other bits than when they are scored alone. */
  private static List<String> different(
      Path model, Precision precision, List<String> texts, List<Way> ways) throws Exception {
    RewardModelOptions options = RewardModelOptions.defaults().precision(precision);
    Map<String, Double> alone = new HashMap<>();
    try (RewardModel plain = RewardModel.load(model, options.threads(1).reuse(false))) {
      for (String text : texts) {
        alone.put(text, plain.score(Input.text(text)).reward());
      }
    }
    List<String> different = new ArrayList<>();
    for (Way way : ways) {
      List<String> shuffled = new ArrayList<>(texts);
      Collections.shuffle(shuffled, new Random(way.microBatch()));
      RewardModelOptions changed = options.threads(way.threads()).microBatchSize(way.microBatch());
      try (RewardModel reusing = RewardModel.load(model, changed)) {
        reusing.scoreAll(TestTexts.inputs(TestTexts.bestOf(1, 5, way.microBatch())));
        List<Reward> rewards =
            way.together()
                ? reusing.scoreAll(TestTexts.inputs(shuffled))
                : shuffled.stream().map(text -> reusing.score(Input.text(text))).toList();
        for (int i = 0; i < rewards.size(); i++) {
          if (rewards.get(i).reward() != alone.get(shuffled.get(i))) {
            different.add(way + ": " + shuffled.get(i));
          }
        }
      }
    }
    return different;
  }

  @ParameterizedTest
  @MethodSource("precisions")
  void manyTextsHaveTheSameBits(Precision precision) throws Exception {
    List<String> texts = TestTexts.bestOf(12, 5, 11);
    assertThat(different(TestModels.TINY, precision, texts, WAYS)).isEmpty();
    assertThat(different(TestModels.FLEDGLING, precision, texts, WAYS)).isEmpty();
  }

  /** Heads wider than the hidden state; a window that texts exceed, and soft-capping. */
  @ParameterizedTest
  @MethodSource("precisions")
  void ofOtherArchitecturesAsWell(Precision precision, @TempDir Path families) throws Exception {
    List<String> texts = TestTexts.bestOf(2, 4, 13);
    List<Way> ways = WAYS.subList(0, 3);
    for (String family : List.of("qwen3-rm", "gemma2-rm")) {
      Path file = Families.gguf(family, families);
      assertThat(different(file, precision, texts, ways)).as(family).isEmpty();
    }
  }

  @ParameterizedTest
  @MethodSource("typesAndPrecisions")
  void whateverTheWeightsAreStoredAs(String type, Precision precision) throws Exception {
    // Another way for each precision, and for the next type.
    int way = TYPES.indexOf(type) + (precision == Precision.EXACT ? 2 : 0);
    List<Way> one = List.of(WAYS.get(way % WAYS.size()));
    List<String> texts = TestTexts.bestOf(2, 4, 12);
    assertThat(different(quantized(type), precision, texts, one)).isEmpty();
  }

  /** Prints whether llama.cpp's kernels compute, and then what is different. */
  static final class Off {
    public static void main(String[] args) throws Exception {
      System.out.println(Llama.kernels().isEmpty());
      List<String> texts = TestTexts.bestOf(2, 4, 12);
      for (String file : args) {
        different(Path.of(file), Precision.EXACT, texts, WAYS.subList(0, 2))
            .forEach(System.out::println);
      }
    }
  }

  @Test
  void exactHasTheSameBitsWithLlamaCppsKernels() throws Exception {
    ChildJvm.Result result =
        new ChildJvm(Off.class)
            .options("-Dmurmuration.kernels=off")
            .run(
                TestModels.TINY,
                quantized("Q8_0"),
                quantized("Q4_K_M"),
                Families.gguf("gemma2-rm", directory));
    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.out().strip()).isEqualTo("true");
  }
}
