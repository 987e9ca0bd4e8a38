package dev.murmuration.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.checkpoint.Families;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.CraftedModel;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * A model of each architecture, changed in one place. {@link ModelCheckTest} does it for llama, and
 * for what all have in common.
 */
@Tag("unit")
class ArchitectureCheckTest {
  private static final String QWEN2 = "qwen2-rm";
  private static final String QWEN3 = "qwen3-rm";
  private static final String GEMMA2 = "gemma2-rm";

  @TempDir static Path originals;
  @TempDir Path directory;

  private static Gguf original(String family) throws IOException {
    Path file = originals.resolve(family + ".gguf");
    return GgufReader.read(Files.exists(file) ? file : Families.gguf(family, originals));
  }

  private static GgufWriter writer(String family) throws IOException {
    return GgufWriter.copyOf(original(family));
  }

  private ModelShape check(GgufWriter writer) throws IOException {
    return ModelCheck.check(CraftedModel.read(writer, directory));
  }

  private void refused(GgufWriter writer, String... expected) {
    assertThatThrownBy(() -> check(writer))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("model.gguf: ")
        .hasMessageContainingAll(expected);
  }

  @Test
  void theShapesOfEach() throws IOException {
    ModelShape qwen2 = check(writer(QWEN2));
    assertThat(qwen2.architecture()).isEqualTo("qwen2");
    assertThat(qwen2.headSize()).isEqualTo(16);
    ModelShape qwen3 = check(writer(QWEN3));
    assertThat(qwen3.architecture()).isEqualTo("qwen3");
    assertThat(qwen3.headSize()).isEqualTo(32);
    assertThat(qwen3.slidingWindow()).isZero();
    ModelShape gemma2 = check(writer(GEMMA2));
    assertThat(gemma2.architecture()).isEqualTo("gemma2");
    assertThat(gemma2.slidingWindow()).isEqualTo(64);
    assertThat(gemma2.softCap()).isEqualTo(5);
    // What llama.cpp takes where the file says nothing.
    ModelShape silent =
        check(
            writer(GEMMA2)
                .removeMetadata("gemma2.attention.sliding_window")
                .removeMetadata("gemma2.attn_logit_softcapping"));
    assertThat(silent.slidingWindow()).isEqualTo(4096);
    assertThat(silent.softCap()).isEqualTo(50);
  }

  @ParameterizedTest
  @ValueSource(strings = {QWEN2, QWEN3, GEMMA2})
  void everyTensorHasToBeThereAndToFit(String family) throws IOException {
    for (GgufTensor tensor : original(family).tensors()) {
      String name = tensor.name();
      if (!name.endsWith(".bias")) {
        refused(writer(family).removeTensor(name), name, "missing");
      }
      GgufWriter longer = writer(family);
      Long[] dims = tensor.dims().toArray(Long[]::new);
      dims[dims.length - 1] += 1;
      refused(
          CraftedModel.tensor(longer, name, tensor.type(), dims), name, tensor.dims().toString());
      GgufTensorType wrong = dims.length == 1 ? GgufTensorType.F16 : GgufTensorType.I32;
      GgufWriter other = writer(family);
      refused(
          CraftedModel.tensor(other, name, wrong, tensor.dims().toArray(Long[]::new)),
          name,
          "type " + wrong);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {QWEN2, QWEN3, GEMMA2})
  void everyKeyOfAnotherTypeIsRefused(String family) throws IOException {
    for (String key : original(family).metadata().keySet()) {
      if (!key.startsWith("reward_model.") && !key.matches("general\\.(type|size_label)")) {
        GgufValue wrong = new GgufValue.Whole(GgufValueType.INT8, 1);
        refused(writer(family).metadata(key, wrong), key, "int8");
      }
    }
  }

  @ParameterizedTest
  @MethodSource("metadata")
  void badMetadataIsRefused(String family, String key, GgufValue value, String expected)
      throws IOException {
    refused(writer(family).metadata(key, value), key, expected);
  }

  static Stream<Arguments> metadata() {
    return Stream.of(
        arguments(QWEN2, "qwen2.attention.value_length", GgufValue.uint32(8), "8, expected"),
        arguments(QWEN2, "qwen2.rope.dimension_count", GgufValue.uint32(8), "8, expected"),
        arguments(QWEN2, "qwen2.attention.sliding_window", GgufValue.uint32(64), "64"),
        arguments(QWEN2, "qwen2.rope.scaling.type", GgufValue.text("longrope"), "longrope"),
        arguments(QWEN2, "qwen2.attn_logit_softcapping", GgufValue.float32(5), "unknown"),
        arguments(QWEN3, "qwen3.attention.head_count", GgufValue.uint32(3), "does not divide"),
        arguments(QWEN3, "qwen3.attention.value_length", GgufValue.uint32(16), "16, expected"),
        arguments(QWEN3, "qwen3.rope.dimension_sections", GgufValue.ints(1, 2, 3), "unknown"),
        arguments(QWEN3, "qwen3.pooling_type", GgufValue.uint32(4), "4"),
        arguments(GEMMA2, "gemma2.attention.sliding_window", GgufValue.uint32(0), "0, expected"),
        arguments(
            GEMMA2, "gemma2.attention.sliding_window", GgufValue.uint32(1L << 31), "2147483648"),
        arguments(
            GEMMA2, "gemma2.attention.sliding_window_pattern", GgufValue.uint32(0), "0, only 2"),
        arguments(
            GEMMA2, "gemma2.attention.sliding_window_pattern", GgufValue.ints(1), "array of 1"),
        arguments(GEMMA2, "gemma2.attn_logit_softcapping", GgufValue.float32(0), "0.0, expected"),
        arguments(GEMMA2, "gemma2.attn_logit_softcapping", GgufValue.float32(Float.NaN), "NaN"),
        arguments(GEMMA2, "gemma2.final_logit_softcapping", GgufValue.float32(-1), "-1.0"),
        arguments(GEMMA2, "gemma2.attention.key_length_swa", GgufValue.uint32(32), "unknown"),
        arguments(GEMMA2, "gemma2.rope.freq_base_swa", GgufValue.float32(1e6f), "unknown"));
  }

  @Test
  void headsOfQwen2AreTheHiddenSizeTogether() throws IOException {
    GgufWriter writer = writer(QWEN2);
    for (String key : List.of("attention.key_length", "attention.value_length")) {
      writer.metadata("qwen2." + key, GgufValue.uint32(32));
    }
    refused(writer, "qwen2.attention.key_length is 32, expected", "64 divided by 4 heads");
  }

  @ParameterizedTest
  @MethodSource("foreignTensors")
  void tensorsOfOtherArchitecturesAreRefused(String family, String name, Long[] dims)
      throws IOException {
    GgufWriter writer = writer(family);
    refused(CraftedModel.tensor(writer, name, GgufTensorType.F32, dims), name, "does not belong");
  }

  /** llama.cpp would not look for them, and refuses a file with more tensors than it looks for. */
  static Stream<Arguments> foreignTensors() {
    return Stream.of(
        arguments(QWEN2, "rope_freqs.weight", new Long[] {8L}),
        arguments(QWEN2, "blk.0.attn_output.bias", new Long[] {64L}),
        arguments(QWEN2, "blk.0.attn_q_norm.weight", new Long[] {16L}),
        arguments(QWEN2, "blk.0.ffn_up.bias", new Long[] {128L}),
        arguments(QWEN3, "rope_freqs.weight", new Long[] {16L}),
        arguments(QWEN3, "output.bias", new Long[] {832L}),
        arguments(QWEN3, "blk.2.attn_q_norm.weight", new Long[] {32L}),
        arguments(GEMMA2, "output.weight", new Long[] {64L, 820L}),
        arguments(GEMMA2, "rope_freqs.weight", new Long[] {16L}),
        arguments(GEMMA2, "blk.0.attn_output.bias", new Long[] {64L}));
  }

  @Test
  void whatAFileMayHaveBesides() throws IOException {
    GgufWriter qwen2 = writer(QWEN2);
    CraftedModel.tensor(qwen2, "output.weight", GgufTensorType.F16, 64L, 832L);
    CraftedModel.tensor(qwen2, "output.bias", GgufTensorType.F32, 832L);
    assertThat(check(qwen2.removeTensor("blk.1.attn_k.bias")).hasOutputHead()).isTrue();
    GgufWriter qwen3 = writer(QWEN3);
    CraftedModel.tensor(qwen3, "blk.0.attn_k.bias", GgufTensorType.F32, 64L);
    CraftedModel.tensor(qwen3, "cls.output.weight", GgufTensorType.F16, 64L, 1L);
    CraftedModel.tensor(qwen3, "cls.output.bias", GgufTensorType.F32, 1L);
    qwen3.metadata("qwen3.rope.scaling.type", GgufValue.text("yarn"));
    assertThat(check(qwen3).hasOutputHead()).isFalse();
    GgufWriter gemma2 = writer(GEMMA2);
    CraftedModel.tensor(gemma2, "blk.0.attn_v.bias", GgufTensorType.F32, 64L);
    gemma2.metadata("gemma2.attention.sliding_window_pattern", GgufValue.uint32(2));
    gemma2.metadata("gemma2.rope.freq_base", GgufValue.float32(20_000));
    assertThat(check(gemma2).ropeBase()).isEqualTo(20_000);
  }

  @Test
  void anUnknownArchitectureIsToldTheKnownOnes() throws IOException {
    GgufWriter writer = writer(QWEN2);
    writer.metadata("general.architecture", GgufValue.text("gemma3"));
    refused(writer, "\"gemma3\"; supported are llama, qwen2, qwen3, gemma2");
  }

  /** The keys of one architecture say nothing to another. */
  @Test
  void theKeysOfAnotherNameDoNotCount() throws IOException {
    GgufWriter writer = writer(QWEN2);
    writer.metadata("general.architecture", GgufValue.text("qwen3"));
    refused(writer, "qwen3.context_length", "missing");
    assertThat(List.copyOf(original(QWEN2).metadata().keySet())).contains("qwen2.context_length");
  }
}
