package dev.murmuration.quantize;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.TestModels.Golden;
import dev.murmuration.checkpoint.Checkpoints;
import dev.murmuration.checkpoint.WideModel;
import dev.murmuration.cli.Murmur;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.WeightScan;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Quantization by llama.cpp, and what is checked before and after it. */
@Tag("native")
class QuantizerTest {
  /** Those of eight layers that llama.cpp's M mixes give more bits ({@code use_more_bits}). */
  private static final Set<Integer> MORE_BITS = Set.of(0, 3, 6, 7);

  @TempDir Path directory;
  private Path output;

  @BeforeEach
  void nameOutput() {
    output = directory.resolve("out.gguf");
  }

  private static Map<String, GgufValue> metadata(Path file) throws Exception {
    Map<String, GgufValue> metadata = new LinkedHashMap<>(GgufReader.read(file).metadata());
    metadata.keySet().removeAll(Set.of("general.file_type", "general.quantization_version"));
    return metadata;
  }

  private static Map<String, GgufTensorType> types(Path file) throws Exception {
    Map<String, GgufTensorType> types = new LinkedHashMap<>();
    GgufReader.read(file).tensors().forEach(tensor -> types.put(tensor.name(), tensor.type()));
    return types;
  }

  @Test
  void fledglingInQ8IsTheEmbeddedModel() throws Exception {
    Quantization done =
        Quantizer.of(TestModels.FLEDGLING).type(QuantizationType.Q8_0).quantize(output);
    assertThat(Files.mismatch(output, TestModels.EMBEDDED)).isEqualTo(-1);
    assertThat(done.file()).isEqualTo(output);
    assertThat(done.bytesRead()).isEqualTo(Files.size(TestModels.FLEDGLING));
    assertThat(done.bytesWritten()).isEqualTo(Files.size(output));
    assertThat(done.tensors()).isEqualTo(38);
    assertThat(done.bitsPerWeight()).isCloseTo(8.5, within(0.01));
  }

  /**
   * The drift is how far the golden rewards, which are about 1, move on average; measured on
   * x86-64, with our kernels and with exact attention. Half as much again is allowed for other
   * processors; the next coarser type moves them twice as far or more.
   */
  @ParameterizedTest
  @CsvSource({
    "F32, F32, 0.0002",
    "BF16, BF16, 0.0058",
    "Q8_0, Q8_0, 0.024",
    "Q4_0, Q4_0, 0.19",
    "Q4_K_M, Q5_0, 0.086",
    "Q4_K_8, Q5_0, 0.086"
  })
  void shortRowsGetATypeThatFits(QuantizationType type, GgufTensorType most, double drift)
      throws Exception {
    Quantizer.of(TestModels.TINY).type(type).quantize(output);
    assertThat(metadata(output)).isEqualTo(metadata(TestModels.TINY));
    assertThat(types(output)).containsEntry("blk.0.attn_q.weight", most);
    List<Golden> golden = TestModels.tinyGolden();
    try (RewardModel model = RewardModel.load(output)) {
      List<Reward> rewards =
          model.scoreAll(golden.stream().map(text -> Input.tokens(text.tokenIds())).toList());
      double sum = 0;
      for (int i = 0; i < golden.size(); i++) {
        sum += Math.abs(rewards.get(i).reward() - golden.get(i).reward());
      }
      assertThat(sum / golden.size()).isLessThan(1.5 * drift);
    }
  }

  @ParameterizedTest
  @CsvSource({
    "Q8_0, Q8_0, Q8_0, Q8_0",
    "Q4_0, Q4_0, Q4_0, Q6_K",
    "Q4_K_S, Q4_K, Q4_K, Q6_K",
    "Q4_K_M, Q4_K, Q6_K, Q6_K",
    "Q4_K_8, Q4_K, Q8_0, Q8_0"
  })
  void eachMixPutsItsTypesWhereTheyBelong(
      QuantizationType type, GgufTensorType most, GgufTensorType more, GgufTensorType embedding)
      throws Exception {
    Path input = directory.resolve("wide.gguf");
    WideModel.write(input);
    Quantizer.of(input).type(type).threads(2).quantize(output);
    Map<String, GgufTensorType> types = types(output);
    assertThat(types.remove("token_embd.weight")).isEqualTo(embedding);
    for (int layer = 0; layer < WideModel.LAYERS; layer++) {
      for (String name : List.of("attn_v", "ffn_down")) {
        GgufTensorType found = types.remove("blk." + layer + "." + name + ".weight");
        if (type == QuantizationType.Q4_K_S) {
          // It has a rule of its own for the first layers.
          assertThat(found).isIn(GgufTensorType.Q4_K, GgufTensorType.Q5_K);
        } else {
          assertThat(found).as(name + layer).isEqualTo(MORE_BITS.contains(layer) ? more : most);
        }
      }
    }
    types.forEach(
        (name, found) ->
            assertThat(found)
                .as(name)
                .isEqualTo(name.contains("norm") ? GgufTensorType.F32 : most));
    assertThat(metadata(output)).isEqualTo(metadata(input));
    assertThat(GgufReader.read(output).floats(RewardMetadata.VALUE_HEAD))
        .hasValueSatisfying(
            head -> assertThat(head).hasSize(WideModel.HIDDEN).isEqualTo(headOf(input)));

    Path again = directory.resolve("again.gguf");
    Quantizer.of(input).type(type).threads(1).quantize(again);
    assertThat(Files.mismatch(output, again)).isEqualTo(-1);
  }

  /**
   * The hashes are those of what llama.cpp's own llama-quantize makes of {@link WideModel} on
   * x86-64; src/test/scripts/stock-quantize.sh makes them again. libggml-base, which quantizes, is
   * compiled without -march even where the CPU backend is not, so that they do not depend on the
   * CPU. On other architectures compilers may fuse a multiplication and an addition, which Q4_0 and
   * Q4_K round differently; Q8_0 has none to fuse. There the reward tells that it is this
   * quantization and no other: those of different types are 3 or more apart.
   */
  @ParameterizedTest
  @CsvSource({
    "Q8_0, 88bea4f3ba50dbc7a7a266cd676db52dd0e29ea79b78bf7513897523a4d7d588, -8.18",
    "Q4_0, bd235a4e3edbabb1fac200d2c5364eb901c498cc700fe986a2cf9528b96648ad, -11.25",
    "Q4_K_M, 5f501c4276d3b6adc5fd0f41c29609837f38e22f0ab3935b95aab2f867daa063, -5.10"
  })
  void equalsLlamaCppsOwnQuantizer(QuantizationType type, String sha256, double reward)
      throws Exception {
    Path input = directory.resolve("wide.gguf");
    WideModel.write(input);
    Quantizer.of(input).type(type).threads(2).quantize(output);
    boolean x86 = Set.of("amd64", "x86_64").contains(System.getProperty("os.arch"));
    if (x86 || type == QuantizationType.Q8_0) {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(Files.readAllBytes(output));
      assertThat(HexFormat.of().formatHex(hash)).isEqualTo(sha256);
    }
    RewardModelOptions exact = RewardModelOptions.defaults().precision(Precision.EXACT);
    try (RewardModel model = RewardModel.load(output, exact)) {
      assertThat(model.score(Input.text("Hello?")).reward()).isCloseTo(reward, within(1.0));
    }
  }

  private static float[] headOf(Path file) {
    try {
      return GgufReader.read(file).floats(RewardMetadata.VALUE_HEAD).orElseThrow();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void everyTypeWithoutAnImportanceMatrixCanBeMade() throws Exception {
    Path input = directory.resolve("wide.gguf");
    WideModel.write(input);
    for (QuantizationType type : QuantizationType.values()) {
      if (!type.needsImportanceMatrix()) {
        Quantizer.of(input).type(type).force(true).threads(2).quantize(output);
        assertThat(metadata(output)).as(type.name()).isEqualTo(metadata(input));
        // Were a scale looked for where quantized numbers lie, one of a thousand would seem NaN.
        assertThat(WeightScan.problem(GgufReader.read(output), share -> {}))
            .as(type.name())
            .isEmpty();
      }
    }
  }

  @Test
  void copyLeavesEveryWeightAsItIs() throws Exception {
    Gguf input = GgufReader.read(TestModels.EMBEDDED);
    Quantizer.of(input.path()).type(QuantizationType.COPY).quantize(output);
    Checkpoints.assertSameTensors(GgufReader.read(output), input);
    assertThat(GgufReader.read(output).metadata()).isEqualTo(input.metadata());
  }

  @Test
  void mxfp4OfAModelWithoutExpertsIsQ8() throws Exception {
    Path input = directory.resolve("wide.gguf");
    WideModel.write(input);
    Path q8 = directory.resolve("q8.gguf");
    Quantizer.of(input).type(QuantizationType.Q8_0).quantize(q8);
    Quantizer.of(input).type(QuantizationType.MXFP4_MOE).quantize(output);
    Checkpoints.assertSameTensors(GgufReader.read(output), GgufReader.read(q8));
  }

  @Test
  void typesThatNeedAnImportanceMatrixAreRefused() {
    Quantizer quantizer = Quantizer.of(TestModels.TINY);
    List<QuantizationType> refused =
        Arrays.stream(QuantizationType.values())
            .filter(QuantizationType::needsImportanceMatrix)
            .toList();
    assertThat(refused).contains(QuantizationType.IQ2_XXS, QuantizationType.Q2_K_S);
    for (QuantizationType type : refused) {
      assertThatThrownBy(() -> quantizer.type(type))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("type is " + type + ", which needs an importance matrix");
    }
  }

  @Test
  void quantizedInputNeedsConsent() throws Exception {
    Quantizer quantizer = Quantizer.of(TestModels.EMBEDDED).type(QuantizationType.Q4_0);
    assertThatThrownBy(() -> quantizer.quantize(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("is quantized already: token_embd.weight is Q8_0")
        .hasMessageContaining("allowRequantize(true)");
    assertThat(Checkpoints.names(directory)).isEmpty();
    quantizer.allowRequantize(true).quantize(output);
    assertThat(types(output)).containsEntry("blk.0.attn_q.weight", GgufTensorType.Q4_0);
  }

  @Test
  void whatIsThereIsReplacedOnlyByForce() throws Exception {
    Files.writeString(output, "old");
    Quantizer quantizer = Quantizer.of(TestModels.TINY);
    assertThatThrownBy(() -> quantizer.quantize(output))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("exists")
        .hasMessageContaining("force(true)");
    assertThat(output).hasContent("old");
    quantizer.force(true).quantize(output);
    assertThat(GgufReader.read(output).tensors()).hasSize(20);
    assertThat(Checkpoints.names(directory)).containsExactly("out.gguf");
  }

  @Test
  void theInputIsNotTheOutput() throws Exception {
    Path input = Files.copy(TestModels.TINY, directory.resolve("in.gguf"));
    Path link = Files.createSymbolicLink(directory.resolve("link.gguf"), input);
    Path hard = Files.createLink(directory.resolve("hard.gguf"), input);
    for (Path same : List.of(input, link, hard)) {
      assertThatThrownBy(() -> Quantizer.of(input).force(true).quantize(same))
          .isInstanceOf(BadFileException.class)
          .hasMessageContaining("is the input itself");
    }
    assertThat(Files.mismatch(input, TestModels.TINY)).isEqualTo(-1);
  }

  @Test
  void damagedInputNeverReachesLlamaCpp() throws Exception {
    byte[] bytes = Files.readAllBytes(TestModels.TINY);
    Path cut = Files.write(directory.resolve("cut.gguf"), Arrays.copyOf(bytes, bytes.length / 2));
    Path none = directory.resolve("none.gguf");
    Path text = Files.writeString(directory.resolve("text.gguf"), "some text");
    for (Path bad : List.of(cut, none, text)) {
      assertThatThrownBy(() -> Quantizer.of(bad).quantize(output))
          .isInstanceOf(BadFileException.class)
          .hasMessageStartingWith(bad + ": ");
    }
    assertThat(Checkpoints.names(directory)).containsExactly("cut.gguf", "text.gguf");
  }

  @Test
  void anInterruptEndsItAndLeavesWhatWasThere() throws Exception {
    Files.writeString(output, "old");
    Quantizer quantizer =
        Quantizer.of(TestModels.FLEDGLING)
            .force(true)
            .progress(share -> Thread.currentThread().interrupt());
    assertThatThrownBy(() -> quantizer.quantize(output))
        .isInstanceOf(InterruptedIOException.class)
        .hasMessageContaining("interrupted");
    assertThat(Thread.interrupted()).isTrue();
    assertThat(output).hasContent("old");
    assertThat(Checkpoints.names(directory)).containsExactly("out.gguf");
  }

  @Test
  void whatTheListenerThrowsEndsIt() throws Exception {
    IllegalStateException enough = new IllegalStateException("enough");
    Quantizer quantizer =
        Quantizer.of(TestModels.FLEDGLING)
            .progress(
                share -> {
                  throw enough;
                });
    assertThatThrownBy(() -> quantizer.quantize(output)).isSameAs(enough);
    assertThat(Checkpoints.names(directory)).isEmpty();
  }

  @Test
  void progressGrowsToOne() throws Exception {
    List<Double> shares = new ArrayList<>();
    Quantizer.of(TestModels.FLEDGLING).progress(shares::add).quantize(output);
    assertThat(shares).isSorted().hasSizeGreaterThan(30).allMatch(share -> share >= 0);
    assertThat(shares.getLast()).isEqualTo(1);
  }

  @Test
  void aFullDiskIsAnErrorAndLeavesWhatWasThere() throws Exception {
    Files.writeString(output, "old");
    // The child must not need to extract the libraries, which are larger than its limit.
    assertThat(Llama.version()).isNotEmpty();
    ChildJvm.Result full =
        new ChildJvm(Murmur.class)
            .options("-XX:-UsePerfData")
            .after("ulimit -f 1024")
            .run("quantize", "--force", TestModels.TINY.toAbsolutePath(), output);
    assertThat(full.exitCode()).as(full.err()).isEqualTo(1);
    assertThat(full.err().lines())
        .singleElement()
        .asString()
        .startsWith("murmur: " + output + ": could not be written by llama.cpp")
        .contains(" MiB are free on its disk: make room, name a file on another disk, or ")
        .endsWith("(ulimit -f)");
    assertThat(output).hasContent("old");
    assertThat(Checkpoints.names(directory)).containsExactly("out.gguf");
  }
}
