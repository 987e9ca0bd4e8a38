package dev.murmuration.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.TestModels;
import dev.murmuration.bench.BenchArithmetic;
import dev.murmuration.bench.BenchTimes;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.llama.Hardware;
import dev.murmuration.llama.Llama;
import dev.murmuration.reward.ModelSize;
import dev.murmuration.reward.RewardModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What {@code murmur bench} says; how fast anything is belongs to no test. */
@Tag("native")
class BenchCommandTest {
  /** Every measurement as short as it can be. */
  private static final String[] BRIEF = {"--seconds", "1e-9", "--lengths", "16,70", "--best-of"};

  private static final List<String> RATES =
      List.of(
          "seconds",
          "tokens_per_second",
          "rewards_per_second",
          "flops",
          "bandwidth",
          "share_of_bandwidth");

  @Test
  void jsonHasEverythingThatWasMeasured() throws Exception {
    List<Path> before = leftovers();
    Cli result = Cli.tiny("bench", "--json", BRIEF[0], BRIEF[1], BRIEF[2], BRIEF[3], BRIEF[4], "3");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err()).isEmpty();
    assertThat(result.lines()).hasSize(1);
    assertThat(leftovers()).isEqualTo(before);
    JsonNode json = result.json();
    assertThat(json.get("machine").asText()).isNotBlank();
    assertThat(json.get("threads").asInt()).isPositive();
    assertThat(json.get("model").asText()).isEqualTo("tiny-rm-f32.gguf");
    assertThat(json.get("type").asText()).isEqualTo("F32");
    assertThat(json.get("precision").asText()).isEqualTo("exact");
    assertThat(json.get("build").asText()).contains("murmuration", "llama.cpp");
    assertThat(json.get("peak_bandwidth").asDouble()).isBetween(1e8, 1e13);
    peak(json);
    prefill(json.get("prefill"));
    bestOf(json.get("best_of"));
    latency(json.get("latency"));
    reuse(json.get("reuse"));
  }

  private static List<Path> leftovers() throws Exception {
    try (var files = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
      return files
          .filter(file -> file.getFileName().toString().startsWith("murmur-bench-"))
          .sorted()
          .toList();
    }
  }

  /** Where our kernels could compute, and only there, bench knows their instruction. */
  private static void peak(JsonNode json) {
    JsonNode share = json.get("latency").get("share_of_peak");
    if (Llama.kernels().isEmpty()) {
      assertThat(json.get("peak_instruction").isNull()).isEqualTo(share.isNull());
    } else {
      assertThat(json.get("peak_instruction").asText()).startsWith("float32 fma, ");
      // 2 to 64 operations in a cycle, on each thread.
      assertThat(json.get("peak_flops").asDouble() / json.get("threads").asInt())
          .isBetween(1e8, 5e11);
      assertThat(share.asDouble()).isBetween(0.0, 1.0);
    }
  }

  private static void figure(JsonNode figure, double texts) {
    for (String rate : RATES) {
      assertThat(figure.get(rate).asDouble()).as(rate).isPositive().isFinite();
    }
    assertThat(figure.get("repetitions").asInt()).isPositive();
    assertThat(figure.get("texts").asDouble()).isEqualTo(texts);
    assertThat(figure.get("rewards_per_second").asDouble())
        .isCloseTo(texts / figure.get("seconds").asDouble(), within(1e-6));
  }

  private static void prefill(JsonNode prefill) {
    assertThat(prefill).hasSize(2);
    int[] lengths = {16, 70};
    for (int i = 0; i < lengths.length; i++) {
      figure(prefill.get(i), 1);
      assertThat(prefill.get(i).get("tokens").asInt()).isEqualTo(lengths[i]);
      assertThat(prefill.get(i).get("tokens_asked").asDouble()).isEqualTo(lengths[i]);
      // Nothing is reused, though the texts begin alike; in exact there are fillers.
      assertThat(prefill.get(i).get("tokens_computed").asDouble())
          .isGreaterThanOrEqualTo(lengths[i]);
    }
  }

  private static void bestOf(JsonNode bestOf) {
    JsonNode together = bestOf.get("together");
    JsonNode alone = bestOf.get("one_by_one");
    figure(together, 3);
    figure(alone, 3);
    assertThat(bestOf.get("responses").asInt()).isEqualTo(3);
    assertThat(together.get("tokens_asked").asDouble())
        .isEqualTo(alone.get("tokens_asked").asDouble());
    assertThat(together.get("tokens_computed").asDouble())
        .isLessThan(alone.get("tokens_computed").asDouble())
        .isLessThanOrEqualTo(together.get("tokens_asked").asDouble());
    assertThat(bestOf.get("ratio").asDouble()).isPositive();
  }

  private static void latency(JsonNode latency) {
    figure(latency, 1);
    double last = 0;
    for (String percentile : List.of("p50", "p90", "p99", "max")) {
      assertThat(latency.get(percentile).asDouble()).isGreaterThanOrEqualTo(last).isPositive();
      last = latency.get(percentile).asDouble();
    }
  }

  private static void reuse(JsonNode reuse) {
    figure(reuse.get("full"), 1);
    figure(reuse.get("edit"), 1);
    figure(reuse.get("first"), 3);
    int tokens = reuse.get("tokens").asInt();
    assertThat(reuse.get("full").get("tokens_asked").asDouble()).isEqualTo(tokens);
    assertThat(reuse.get("edit").get("tokens_asked").asDouble()).isEqualTo(tokens);
    // In exact, computed in tiles of 64.
    assertThat(reuse.get("edit").get("tokens_computed").asDouble()).isBetween(10.0, 128.0);
    assertThat(reuse.get("again").get("tokens_computed").asDouble())
        .isLessThan(reuse.get("first").get("tokens_computed").asDouble());
    assertThat(reuse.get("edit_ratio").asDouble()).isPositive();
    assertThat(reuse.get("again_ratio").asDouble()).isPositive();
  }

  @ParameterizedTest
  @ValueSource(ints = {40, 80})
  void theTableFits(int columns) {
    Terminal.Kind kind = new Terminal.Kind(true, false, columns, false);
    Cli result = Cli.run("", kind, "bench", BRIEF[0], BRIEF[1], BRIEF[2], BRIEF[3], BRIEF[4], "2");
    assertThat(result.code()).as(result.err()).isZero();
    assertThat(result.err().lines()).singleElement().asString().contains("fledgling");
    assertThat(result.out())
        .contains("machine", "fledgling, Q8_0", "16 tokens", "70 tokens", "together", "p99")
        .contains("all 400 new", "last 10 new", "once more", "OP/s", "B/s from memory")
        .doesNotContain("NaN", "Infinity", "null");
    assertThat(result.lines())
        .allSatisfy(line -> assertThat(Display.width(line)).isLessThanOrEqualTo(columns));
  }

  @Test
  void onlyWhatIsAskedForIsMeasuredAndTextsFitTheContext() throws Exception {
    Cli some =
        Cli.run("bench", "-q", "--json", "--seconds", "0.1", "--only", "latency,reuse", "-c", "64");
    assertThat(some.code()).as(some.err()).isZero();
    JsonNode json = some.json();
    assertThat(json.get("latency").get("repetitions").asInt()).isGreaterThanOrEqualTo(20);
    assertThat(json.get("reuse").get("edit").get("repetitions").asInt()).isGreaterThanOrEqualTo(3);
    assertThat(json.get("reuse").get("tokens").asInt()).isEqualTo(64);
    assertThat(json.has("prefill") || json.has("best_of")).isFalse();
  }

  @Test
  void theBarIsShownAndWiped() {
    Terminal.Kind kind = new Terminal.Kind(false, true, 60, false);
    Cli result = Cli.run("", kind, "bench", "--seconds", "1e-9", "--only", "latency");
    assertThat(result.err()).contains("1/2 short texts", "2/2 peak").endsWith("\r\u001b[K");
    Cli quiet = Cli.run("", kind, "bench", "-q", "--seconds", "1e-9", "--only", "latency");
    assertThat(quiet.err()).isEmpty();
  }

  @Test
  void operationsAreTwoForEachParameter() throws Exception {
    Gguf gguf = GgufReader.read(TestModels.FLEDGLING);
    ModelSize model;
    try (RewardModel loaded = RewardModel.load(TestModels.FLEDGLING)) {
      model = loaded.size();
    }
    BenchArithmetic arithmetic = BenchArithmetic.of(model, 64);
    double matrices =
        gguf.tensors().stream()
            .filter(tensor -> tensor.name().startsWith("blk.") && tensor.dims().size() == 2)
            .mapToDouble(tensor -> (double) tensor.elements())
            .sum();
    assertThat(arithmetic.operations(1, 0, 1)).isEqualTo(2 * matrices);
    assertThat(arithmetic.operations(1, 10, 1) - arithmetic.operations(1, 0, 1))
        .isEqualTo(4.0 * 10 * model.heads() * model.headSize() * model.layers());
    assertThat(model.weightType()).isEqualTo("F16");
    // Of two bytes each, read once for each micro-batch and for each decode.
    assertThat(arithmetic.bytes(64, 1)).isEqualTo(2 * matrices);
    assertThat(arithmetic.bytes(65, 1)).isEqualTo(4 * matrices);
    assertThat(arithmetic.bytes(65, 3)).isEqualTo(6 * matrices);
  }

  @Test
  void theInstructionIsTheTypesOwn() {
    assertThat(Hardware.peak(GgufTensorType.I32.id(), 1, 0)).isEmpty();
    for (GgufTensorType type : List.of(GgufTensorType.Q8_0, GgufTensorType.BF16)) {
      // As many operations as vectors of bytes allow in a cycle, and no more.
      Hardware.peak(type.id(), 2, 0)
          .ifPresent(
              peak -> {
                assertThat(peak.instruction()).matches(".*bits|tdpbf16ps");
                assertThat(peak.operations()).isBetween(1e8, 1e13);
              });
    }
  }

  @Test
  void percentilesAreTimesThatWereMeasured() {
    BenchTimes times = new BenchTimes(List.of(4.0, 1.0, 3.0, 2.0));
    assertThat(times.median()).isEqualTo(2.5);
    assertThat(times.percentile(0.9)).isEqualTo(4);
    assertThat(times.percentile(0.5)).isEqualTo(2);
    assertThat(times.shortest()).isEqualTo(1);
    assertThat(times.longest()).isEqualTo(4);
    assertThat(new BenchTimes(List.of(7.0)).percentile(0.01)).isEqualTo(7);
  }

  @Test
  void numbersForPeopleHaveThreeDigits() {
    assertThat(Numbers.duration(1.234e-5)).isEqualTo("12.3 µs");
    assertThat(Numbers.duration(0.0009996)).isEqualTo("1.00 ms");
    assertThat(Numbers.duration(0.25)).isEqualTo("250 ms");
    assertThat(Numbers.duration(61.2)).isEqualTo("61.2 s");
    assertThat(Numbers.metric(999.4)).isEqualTo("999");
    assertThat(Numbers.metric(999.6)).isEqualTo("1.00 k");
    assertThat(Numbers.metric(1.456e11)).isEqualTo("146 G");
  }
}
