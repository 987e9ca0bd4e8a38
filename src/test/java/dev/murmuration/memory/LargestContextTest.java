package dev.murmuration.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Sizes of contexts for a model of 7 billion weights, with more and less free memory. */
@Tag("unit")
class LargestContextTest {
  private static final long GIB = 1L << 30;
  static final ModelShape MODEL =
      new ModelShape(
          "llama",
          4096,
          32,
          32,
          32,
          128,
          11008,
          32000,
          4096,
          1e-5f,
          1e4f,
          0,
          0,
          true,
          6_738_415_616L,
          7 * GIB);
  private static final Placement HOST = Placement.host(LayerWeights.of(MODEL));
  private static final WeightMemory MAPPED = new WeightMemory(7 * GIB, 0, true, false, HOST);
  private static final ContextRequest OPTIONS = ContextRequest.DEFAULTS.threads(2);

  private static LargestContext choose(ContextRequest options, int longest, double free) {
    return choose(MAPPED, options, longest, free);
  }

  private static LargestContext choose(
      WeightMemory weights, ContextRequest options, int longest, double free) {
    ContextSizes sizes =
        new ContextSizes(MODEL, options, weights.ours(), weights.placement().hostLayers());
    return LargestContext.within((long) (free * GIB), sizes, weights, longest);
  }

  private static String refusal(ContextRequest options, int longest, double free) {
    return choose(options, longest, free).need().refusal();
  }

  @Test
  void withEnoughMemoryTwoOfTheLongestTexts() {
    LargestContext choice = choose(OPTIONS, 2048, 20);
    assertThat(choice.context())
        .isEqualTo(new ContextParameters(4096, 512, 512, 64, 256, 2, true, true, Readout.PRUNED));
    MemoryNeed need = choice.need();
    assertThat(need.contextLength()).isEqualTo(2048);
    assertThat(need.cells()).isEqualTo(4096);
    assertThat(need.cache()).isEqualTo(2 * GIB); // 512 KiB a token
    assertThat(need.total()).isEqualTo(9 * GIB + need.buffers());
    assertThat(need.refusal()).isNull();
    assertThat(choose(OPTIONS.exact(true), 2048, 20).need().cache()).isEqualTo(4 * GIB);
  }

  @ParameterizedTest
  @CsvSource({"4096,8192", "2049,4352", "2048,4096", "1000,4096", "512,4096", "300,2560", "2,256"})
  void cellsFollowTheLongestText(int longest, int cells) {
    assertThat(choose(OPTIONS, longest, 20).context().cells()).isEqualTo(cells);
  }

  @Test
  void lessFreeMemoryMeansFewerCellsDownToTheLongestText() {
    int before = 4096;
    for (double free = 10; free > 8.1; free -= 0.05) {
      LargestContext choice = choose(OPTIONS, 2000, free);
      int cells = choice.context().cells();
      assertThat(cells).isBetween(2048, before);
      if (cells > 2048) {
        assertThat(choice.need().total() + MemoryPolicy.OVERHEAD)
            .isLessThanOrEqualTo(choice.need().available());
      }
      before = cells;
    }
    assertThat(before).isEqualTo(2048);
    // A mapped file finds its way back from the disk; the cache would not.
    assertThat(refusal(OPTIONS, 2000, 2)).isNull();
    assertThat(refusal(OPTIONS, 2000, 1)).isNotNull();
  }

  @Test
  void cellsByHandAreUsedOrRefused() {
    LargestContext choice = choose(OPTIONS.cells(2100), 2048, 20);
    assertThat(choice.context().cells()).isEqualTo(2304);
    assertThat(choice.need().refusal()).isNull();
    assertThatThrownBy(() -> choose(OPTIONS.cells(2047), 2048, 20))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessage(
            "cells is 2047; it takes 2048, for the longest text" + " (contextLength), to 16777216");
    assertThatThrownBy(() -> choose(OPTIONS.cells((1 << 24) + 1), 2048, 20))
        .hasMessageContaining("cells is 16777217;");
    String refusal = refusal(OPTIONS.cells(8192), 2048, 3);
    assertThat(refusal).contains("key/value cache of 8192 cells 4096, ");
    requireFits(refusal, "cells\\((\\d+)\\)", cells -> OPTIONS.cells(cells), 2048, 3);
  }

  @Test
  void aRefusalSaysWhatWouldFit() {
    ContextRequest exact = OPTIONS.exact(true);
    String refusal = refusal(exact, 2048, 2.2);
    assertThat(refusal)
        .matches(
            "a context of 2048 tokens needs \\d+ MiB \\(key/value cache of 2048 cells 2048, buffers"
                + " \\d+\\), and 2253 MiB are free; what fits: contextLength\\(\\d+\\), or"
                + " precision\\(FAST\\), or microBatchSize\\(\\d+\\)");
    assertThat(refusal(exact.exact(false), 2048, 2.2)).isNull();
    requireFits(refusal, "microBatchSize\\((\\d+)\\)", exact::microBatchSize, 2048, 2.2);
    int length = number(refusal, "contextLength\\((\\d+)\\)");
    assertThat(refusal(exact, length, 2.2)).isNull();
    assertThat(refusal(exact, length + 1, 2.2)).isNotNull();

    assertThat(refusal(OPTIONS, 2048, 0.05))
        .endsWith("; no context fits: free some memory, or take a smaller model");
  }

  @Test
  void weightsThatAreReadOrRepackedCount() {
    WeightMemory read = new WeightMemory(7 * GIB, 0, false, false, HOST);
    assertThat(choose(read, OPTIONS.memoryMap(false), 2048, 5).need().refusal())
        .contains("(weights 7168, key/value cache")
        .contains("no context fits");
    WeightMemory repacked = new WeightMemory(4 * GIB, 3 * GIB, true, false, HOST);
    MemoryNeed refused = choose(repacked, OPTIONS, 2048, 2.5).need();
    assertThat(refused.total()).isGreaterThan(8 * GIB);
    assertThat(refused.refusal()).contains("(repacked weights 3072, ");
    // What was repacked is not read from the file again: it need not stay in memory.
    assertThat(choose(repacked, OPTIONS, 2048, 7).context().cells()).isEqualTo(4096);
  }

  @ParameterizedTest
  @CsvSource({
    // batch, micro, cells: batch and micro batch that follow
    "0,    512,  4096, 512,  512",
    "0,    2048, 4096, 2048, 2048",
    "0,    2048, 2048, 2048, 2048",
    "0,    8192, 2048, 2048, 2048",
    "128,  512,  4096, 128,  128",
    "2048, 512,  4096, 2048, 512",
    "8192, 512,  4096, 4096, 512",
    "1,    512,  4096, 64,   64",
    "0,    65,   4096, 128,  128",
    "2147483647, 2147483647, 4096, 4096, 4096",
  })
  void batches(int batch, int micro, int cells, int batchSize, int microBatchSize) {
    ContextRequest options = OPTIONS.batchSize(batch).microBatchSize(micro).cells(cells);
    ContextParameters context = choose(options, 2048, 20).context();
    assertThat(context.batchSize()).isEqualTo(batchSize);
    assertThat(context.microBatchSize()).isEqualTo(microBatchSize);
    assertThat(context.maxOutputs()).isEqualTo(Math.min(256, batchSize));
  }

  private interface Change {
    ContextRequest to(int value);
  }

  private static void requireFits(
      String refusal, String pattern, Change change, int longest, double free) {
    assertThat(refusal(change.to(number(refusal, pattern)), longest, free)).isNull();
  }

  private static int number(String text, String pattern) {
    Matcher matcher = Pattern.compile(pattern).matcher(text);
    assertThat(matcher.find()).as(text).isTrue();
    return Integer.parseInt(matcher.group(1));
  }
}
