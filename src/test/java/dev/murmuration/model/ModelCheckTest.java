package dev.murmuration.model;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.params.provider.Arguments.arguments;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.CraftedModel;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.GgufWriter;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** One model, changed in one place: what llama.cpp could trip over is refused by name and value. */
@Tag("unit")
class ModelCheckTest {
  @TempDir Path directory;

  @Test
  void acceptsTheUnchangedModel() throws IOException {
    assertThat(validate(CraftedModel.writer()))
        .isEqualTo(
            new ModelShape(
                "llama", 32, 2, 4, 2, 8, 64, 264, 128, 1e-5f, 10_000f, 0, 0, false, 27_040,
                52_480));
  }

  @Test
  void acceptsWhatTheConverterMayAdd() throws IOException {
    GgufWriter writer = CraftedModel.writer();
    CraftedModel.tensor(writer, "output.weight", GgufTensorType.Q4_0, 32L, 264L);
    CraftedModel.tensor(writer, "rope_freqs.weight", GgufTensorType.F32, 4L);
    CraftedModel.tensor(writer, "blk.0.attn_q.bias", GgufTensorType.F32, 32L);
    writer
        .metadata("general.alignment", GgufValue.uint32(32))
        .metadata("general.tags", GgufValue.strings(List.of("a", "b")))
        .metadata("general.license", GgufValue.text("other"))
        .metadata("general.quantization_version", GgufValue.uint32(2))
        .metadata("llama.expert_count", GgufValue.uint32(0))
        .metadata("llama.rope.scaling.type", GgufValue.text("linear"))
        .metadata("llama.rope.scaling.factor", GgufValue.float32(4f))
        .metadata("quantize.imatrix.file", GgufValue.text("imatrix.gguf"))
        .metadata("reward_model.max_length", GgufValue.uint32(2048))
        .metadata("tokenizer.chat_template", GgufValue.text("{{ messages }}"))
        .metadata("tokenizer.ggml.add_space_prefix", GgufValue.bool(false));

    assertThat(validate(writer).hasOutputHead()).isTrue();
  }

  @Test
  void acceptsAModelWithoutTheOptionalKeys() throws IOException {
    GgufWriter writer =
        CraftedModel.writer()
            .removeMetadata("general.name")
            .removeMetadata("general.file_type")
            .removeMetadata("llama.rope.freq_base")
            .removeMetadata("llama.attention.key_length")
            .removeMetadata("llama.attention.value_length")
            .removeMetadata("llama.rope.dimension_count")
            .removeMetadata("llama.vocab_size")
            .removeMetadata("tokenizer.ggml.pre")
            .removeMetadata("tokenizer.ggml.bos_token_id")
            .removeMetadata("tokenizer.ggml.add_bos_token");

    assertThat(validate(writer).ropeBase()).isEqualTo(10_000f);
    assertThat(validate(writer).headSize()).isEqualTo(8);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "general.architecture",
        "llama.block_count",
        "llama.context_length",
        "llama.embedding_length",
        "llama.feed_forward_length",
        "llama.attention.head_count",
        "llama.attention.layer_norm_rms_epsilon",
        "tokenizer.ggml.model",
        "tokenizer.ggml.tokens",
        "tokenizer.ggml.scores",
        "tokenizer.ggml.token_type"
      })
  void aMissingKeyIsRefused(String key) {
    refused(CraftedModel.writer().removeMetadata(key), key, "missing");
  }

  @Test
  void everyKeyOfAnotherTypeIsRefused() throws IOException {
    for (String key : CraftedModel.read(CraftedModel.writer(), directory).metadata().keySet()) {
      GgufValue wrong = new GgufValue.Whole(GgufValueType.INT8, 1);
      refused(CraftedModel.writer().metadata(key, wrong), key, "int8");
    }
  }

  @Test
  void everyMissingTensorIsRefused() throws IOException {
    for (GgufTensor tensor : CraftedModel.read(CraftedModel.writer(), directory).tensors()) {
      refused(CraftedModel.writer().removeTensor(tensor.name()), tensor.name(), "missing");
    }
  }

  @Test
  void everyVectorHasToBeF32() throws IOException {
    for (GgufTensor tensor : CraftedModel.read(CraftedModel.writer(), directory).tensors()) {
      if (tensor.dims().size() == 1) {
        GgufWriter writer = CraftedModel.writer();
        CraftedModel.tensor(writer, tensor.name(), GgufTensorType.F16, tensor.dims().getFirst());
        refused(writer, tensor.name(), "F16", "F32");
      }
    }
  }

  @ParameterizedTest
  @EnumSource(
      value = GgufTensorType.class,
      names = {"I8", "I16", "I32", "I64", "F64", "NVFP4", "Q8_1", "Q8_K"})
  void weightsThatCannotBeMultipliedAreRefused(GgufTensorType type) {
    GgufWriter writer = CraftedModel.writer();
    writer.metadata("llama.feed_forward_length", GgufValue.uint32(256));
    for (int layer = 0; layer < CraftedModel.LAYERS; layer++) {
      String prefix = "blk." + layer + ".";
      CraftedModel.tensor(writer, prefix + "ffn_gate.weight", GgufTensorType.F16, 32L, 256L);
      CraftedModel.tensor(writer, prefix + "ffn_up.weight", GgufTensorType.F16, 32L, 256L);
      CraftedModel.tensor(writer, prefix + "ffn_down.weight", type, 256L, 32L);
    }
    refused(writer, "blk.0.ffn_down.weight", "type " + type);
  }

  @ParameterizedTest
  @MethodSource("metadata")
  void badMetadataIsRefused(String key, GgufValue value, String expected) {
    refused(CraftedModel.writer().metadata(key, value), key, expected);
  }

  static Stream<Arguments> metadata() {
    return Stream.of(
        arguments("general.architecture", GgufValue.text("mistral3"), "mistral3"),
        arguments("general.architecture", GgufValue.text("llama\0"), "\"llama\\u0000\""),
        arguments("general.alignment", GgufValue.uint32(64), "64"),
        arguments("general.alignment", GgufValue.uint32(0), "0"),
        arguments("general.alignment", GgufValue.text("32"), "string"),
        arguments("split.count", new GgufValue.Whole(GgufValueType.UINT16, 2), "--merge"),
        arguments("split.no", GgufValue.text("x"), "--merge"),
        arguments("llama.block_count", GgufValue.uint32(0), "0, expected 1 to 512"),
        arguments("llama.block_count", GgufValue.uint32(513), "513, expected 1 to 512"),
        arguments("llama.context_length", GgufValue.uint32(0), "0"),
        arguments("llama.context_length", GgufValue.uint32(0xFFFF_FFFFL), "4294967295"),
        arguments("llama.embedding_length", GgufValue.uint32(0), "0"),
        arguments("llama.feed_forward_length", GgufValue.uint32(0), "0"),
        arguments("llama.vocab_size", GgufValue.uint32(263), "263, but"),
        arguments("llama.attention.head_count", GgufValue.uint32(0), "0"),
        arguments("llama.attention.head_count", GgufValue.ints(4, 4), "array of 2 int32"),
        arguments("llama.attention.head_count_kv", GgufValue.uint32(0), "0"),
        arguments("llama.attention.head_count_kv", GgufValue.uint32(3), "3, which does not divide"),
        arguments("llama.attention.value_length", GgufValue.uint32(16), "16, expected"),
        arguments("llama.rope.dimension_count", GgufValue.uint32(4), "4, expected"),
        arguments("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(Float.NaN), "NaN"),
        arguments("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(-1e-5f), "-1.0E-5"),
        arguments("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(0f), "0.0"),
        arguments("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(1f), "1.0"),
        arguments("llama.rope.freq_base", GgufValue.float32(0f), "0.0"),
        arguments("llama.rope.freq_base", GgufValue.float32(Float.POSITIVE_INFINITY), "Infinity"),
        arguments("llama.rope.scaling.type", GgufValue.text("longrope"), "longrope"),
        arguments("llama.rope.scaling.factor", GgufValue.float32(0f), "0.0"),
        arguments("llama.rope.scaling.factor", GgufValue.float32(Float.NaN), "NaN"),
        arguments("llama.attention.causal", GgufValue.bool(false), "false"),
        arguments("llama.attention.sliding_window", GgufValue.uint32(4096), "4096"),
        arguments("llama.pooling_type", GgufValue.uint32(1), "1"),
        arguments("llama.expert_count", GgufValue.uint32(8), "8"),
        arguments("llama.expert_used_count", GgufValue.uint32(2), "2"),
        arguments("llama.nextn_predict_layers", GgufValue.uint32(1), "1"),
        arguments("llama.embedding_length_out", GgufValue.uint32(32), "unknown"),
        arguments("llama.classifier.output_labels", GgufValue.strings(List.of("a")), "unknown"),
        arguments("tokenizer.ggml.model", GgufValue.text("bert"), "bert"),
        arguments("tokenizer.ggml.magic", GgufValue.uint32(1), "unknown"),
        arguments("tokenizer.ggml.bos_token_id", GgufValue.uint32(264), "264"),
        arguments("tokenizer.ggml.padding_token_id", GgufValue.uint32(0xFFFF_FFFFL), "4294967295"),
        arguments("tokenizer.ggml.eot_token_id", GgufValue.uint32(300), "300"),
        arguments("tokenizer.ggml.add_bos_token", GgufValue.uint32(1), "uint32"),
        arguments("tokenizer.chat_template", GgufValue.uint32(1), "uint32"),
        arguments("tokenizer.ggml.scores", GgufValue.floats(new float[263]), "263"),
        arguments("tokenizer.ggml.token_type", GgufValue.ints(new int[265]), "265"),
        arguments("tokenizer.ggml.token_type", GgufValue.ints(new int[264]), "type 0"),
        arguments("tokenizer.ggml.tokens", GgufValue.strings(List.of("a")), "1"));
  }

  /** A model with so many control and user-defined tokens in all. */
  private static GgufWriter specials(int count) {
    List<String> tokens = new ArrayList<>(CraftedModel.tokens());
    int more = count - 3;
    int[] types = Arrays.copyOf(CraftedModel.tokenTypes(), tokens.size() + more);
    for (int i = 0; i < more; i++) {
      types[tokens.size()] = 3 + i % 2;
      tokens.add("[PAD" + i + "]");
    }
    GgufWriter writer = CraftedModel.writer();
    writer
        .metadata("tokenizer.ggml.tokens", GgufValue.strings(tokens))
        .metadata("tokenizer.ggml.scores", GgufValue.floats(new float[types.length]))
        .metadata("tokenizer.ggml.token_type", GgufValue.ints(types))
        .metadata("llama.vocab_size", GgufValue.uint32(types.length));
    long rows = types.length;
    return CraftedModel.tensor(
        writer, "token_embd.weight", GgufTensorType.F16, (long) CraftedModel.HIDDEN_SIZE, rows);
  }

  @Test
  void specialTokensThatEveryTextIsSearchedForAreLimited() throws Exception {
    int limit = LlamaVocabulary.MAX_SPECIAL_TOKENS;
    ModelCheck.check(CraftedModel.read(specials(limit), directory));
    refused(specials(limit + 1), (limit + 1) + " special tokens", "the limit is " + limit);
  }

  @ParameterizedTest
  @MethodSource("tokens")
  void badTokensAreRefused(int id, String text, String expected) {
    List<String> tokens = new ArrayList<>(CraftedModel.tokens());
    tokens.set(id, text);
    refused(
        CraftedModel.writer().metadata("tokenizer.ggml.tokens", GgufValue.strings(tokens)),
        "tokenizer.ggml.tokens",
        expected);
  }

  static Stream<Arguments> tokens() {
    return Stream.of(
        arguments(260, "b", "token 261 \"b\" appears twice"),
        arguments(260, "", "token 260 \"\" has 0 bytes"),
        arguments(260, "x\0y", "token 260 \"x\\u0000y\" has 3 bytes"),
        arguments(260, "x".repeat(4097), "4097 bytes"),
        arguments(3 + 0x0A, "<0x0a>", "lacks the byte token <0x0A>"),
        arguments(3 + 0xFF, "x", "lacks the byte token <0xFF>"));
  }

  @Test
  void aByteTokenHasToLookLikeOne() {
    int[] types = CraftedModel.tokenTypes();
    types[260] = 6;
    refused(
        CraftedModel.writer().metadata("tokenizer.ggml.token_type", GgufValue.ints(types)),
        "token 260 \"a\"",
        "byte (6)");
  }

  @ParameterizedTest
  @ValueSource(ints = {-1, 0, 7})
  void aTokenTypeOutOfRangeIsRefused(int type) {
    int[] types = CraftedModel.tokenTypes();
    types[5] = type;
    refused(
        CraftedModel.writer().metadata("tokenizer.ggml.token_type", GgufValue.ints(types)),
        "token 5",
        "type " + type);
  }

  @ParameterizedTest
  @ValueSource(floats = {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY})
  void aScoreThatIsNotFiniteIsRefused(float score) {
    float[] scores = new float[CraftedModel.VOCABULARY_SIZE];
    scores[7] = score;
    refused(
        CraftedModel.writer().metadata("tokenizer.ggml.scores", GgufValue.floats(scores)),
        "token 7",
        "" + score);
  }

  @ParameterizedTest
  @MethodSource("tensors")
  void badTensorsAreRefused(String name, GgufTensorType type, Long[] dims, String expected) {
    GgufWriter writer = CraftedModel.writer();
    CraftedModel.tensor(writer, name, type, dims);
    refused(writer, name, expected);
  }

  static Stream<Arguments> tensors() {
    return Stream.of(
        arguments("v_head.weight", GgufTensorType.F32, new Long[] {32L}, "does not belong"),
        arguments("blk.2.attn_norm.weight", GgufTensorType.F32, new Long[] {32L}, "not belong"),
        arguments("blk.00.attn_norm.weight", GgufTensorType.F32, new Long[] {32L}, "not belong"),
        arguments("blk.0.attn_qkv.weight", GgufTensorType.F32, new Long[] {32L, 64L}, "not belong"),
        arguments("blk.0.attn_q.scale", GgufTensorType.F32, new Long[] {1L}, "not belong"),
        arguments("token_embd.weight", GgufTensorType.F32, new Long[] {32L, 263L}, "[32, 263]"),
        arguments("token_embd.weight", GgufTensorType.I32, new Long[] {32L, 264L}, "type I32"),
        arguments("output.weight", GgufTensorType.F32, new Long[] {264L, 32L}, "[264, 32]"),
        arguments("output_norm.weight", GgufTensorType.F32, new Long[] {32L, 1L}, "[32, 1]"),
        arguments("blk.0.attn_k.weight", GgufTensorType.F32, new Long[] {32L, 32L}, "[32, 16]"),
        arguments("blk.1.ffn_up.weight", GgufTensorType.F32, new Long[] {64L, 32L}, "[32, 64]"),
        arguments("blk.1.attn_q.bias", GgufTensorType.F32, new Long[] {16L}, "[32]"),
        arguments("rope_freqs.weight", GgufTensorType.F32, new Long[] {8L}, "[4]"));
  }

  private ModelShape validate(GgufWriter writer) throws IOException {
    return ModelCheck.check(CraftedModel.read(writer, directory));
  }

  private void refused(GgufWriter writer, String... expected) {
    assertThatThrownBy(() -> validate(writer))
        .isInstanceOf(BadFileException.class)
        .hasMessageContaining("model.gguf: ")
        .hasMessageContainingAll(expected);
  }
}
