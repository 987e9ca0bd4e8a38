package dev.murmuration.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;

/** A complete llama model of some 40 KB that tests change in one place at a time. */
public final class CraftedModel {
  public static final int HIDDEN_SIZE = 32;
  public static final int LAYERS = 2;
  static final int FEED_FORWARD_SIZE = 64;
  public static final int VOCABULARY_SIZE = 264;

  private CraftedModel() {}

  public static GgufWriter writer() {
    GgufWriter writer = new GgufWriter();
    metadata(writer);
    tokenizer(writer);
    tensors(writer);
    return writer;
  }

  /**
   * Writes a reward model whose weights and head are random, so that each of its parts counts.
   *
   * @param seed another one makes another model
   */
  public static void writeRandom(Path file, long seed) throws IOException {
    Random random = new Random(seed);
    GgufWriter writer = writer();
    for (GgufTensor tensor : read(writer, file.getParent()).tensors()) {
      ByteBuffer numbers = ByteBuffer.allocate((int) tensor.elements() * Float.BYTES);
      numbers.order(ByteOrder.LITTLE_ENDIAN);
      while (numbers.hasRemaining()) {
        numbers.putFloat((float) random.nextGaussian() / 4);
      }
      writer.tensor(
          tensor.name(), GgufTensorType.F32, tensor.dims(), out -> out.write(numbers.flip()));
    }
    float[] head = new float[HIDDEN_SIZE];
    for (int i = 0; i < head.length; i++) {
      head[i] = (float) random.nextGaussian();
    }
    writer.metadata("reward_model.value_head.weight", GgufValue.floats(head)).write(file);
  }

  public static Gguf read(GgufWriter writer, Path directory) throws IOException {
    Path file = directory.resolve("model.gguf");
    writer.write(file);
    return GgufReader.read(file);
  }

  static byte[] bytes(Path directory) throws IOException {
    Path file = directory.resolve("original.gguf");
    writer().write(file);
    return Files.readAllBytes(file);
  }

  public static List<String> tokens() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    HexFormat hex = HexFormat.of().withUpperCase();
    for (int value = 0; value < 256; value++) {
      tokens.add("<0x" + hex.toHexDigits((byte) value) + ">");
    }
    tokens.addAll(List.of("▁", "a", "b", "▁a", "é"));
    return tokens;
  }

  public static int[] tokenTypes() {
    int[] types = new int[VOCABULARY_SIZE];
    for (int id = 0; id < types.length; id++) {
      types[id] = id == 0 ? 2 : id < 3 ? 3 : id < 259 ? 6 : 1;
    }
    return types;
  }

  private static void metadata(GgufWriter writer) {
    writer
        .metadata("general.architecture", GgufValue.text("llama"))
        .metadata("general.name", GgufValue.text("crafted"))
        .metadata("llama.block_count", GgufValue.uint32(LAYERS))
        .metadata("llama.context_length", GgufValue.uint32(128))
        .metadata("llama.embedding_length", GgufValue.uint32(HIDDEN_SIZE))
        .metadata("llama.feed_forward_length", GgufValue.uint32(FEED_FORWARD_SIZE))
        .metadata("llama.attention.head_count", GgufValue.uint32(4))
        .metadata("llama.attention.head_count_kv", GgufValue.uint32(2))
        .metadata("llama.rope.freq_base", GgufValue.float32(10_000f))
        .metadata("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(1e-5f))
        .metadata("llama.attention.key_length", GgufValue.uint32(8))
        .metadata("llama.attention.value_length", GgufValue.uint32(8))
        .metadata("general.file_type", GgufValue.uint32(0))
        .metadata("llama.vocab_size", GgufValue.uint32(VOCABULARY_SIZE))
        .metadata("llama.rope.dimension_count", GgufValue.uint32(8));
  }

  /** Adds the keys of a tokenizer with {@link #VOCABULARY_SIZE} tokens. */
  public static void tokenizer(GgufWriter writer) {
    writer
        .metadata("tokenizer.ggml.model", GgufValue.text("llama"))
        .metadata("tokenizer.ggml.pre", GgufValue.text("default"))
        .metadata("tokenizer.ggml.tokens", GgufValue.strings(tokens()))
        .metadata("tokenizer.ggml.scores", GgufValue.floats(new float[VOCABULARY_SIZE]))
        .metadata("tokenizer.ggml.token_type", GgufValue.ints(tokenTypes()))
        .metadata("tokenizer.ggml.bos_token_id", GgufValue.uint32(1))
        .metadata("tokenizer.ggml.eos_token_id", GgufValue.uint32(2))
        .metadata("tokenizer.ggml.unknown_token_id", GgufValue.uint32(0))
        .metadata("tokenizer.ggml.add_bos_token", GgufValue.bool(true));
  }

  private static void tensors(GgufWriter writer) {
    long hidden = HIDDEN_SIZE;
    long keys = HIDDEN_SIZE / 2;
    long inner = FEED_FORWARD_SIZE;
    tensor(writer, "token_embd.weight", GgufTensorType.F16, hidden, (long) VOCABULARY_SIZE);
    for (int layer = 0; layer < LAYERS; layer++) {
      String prefix = "blk." + layer + ".";
      tensor(writer, prefix + "attn_norm.weight", GgufTensorType.F32, hidden);
      tensor(writer, prefix + "attn_q.weight", GgufTensorType.Q8_0, hidden, hidden);
      tensor(writer, prefix + "attn_k.weight", GgufTensorType.F16, hidden, keys);
      tensor(writer, prefix + "attn_v.weight", GgufTensorType.F16, hidden, keys);
      tensor(writer, prefix + "attn_output.weight", GgufTensorType.F16, hidden, hidden);
      tensor(writer, prefix + "ffn_norm.weight", GgufTensorType.F32, hidden);
      tensor(writer, prefix + "ffn_gate.weight", GgufTensorType.F16, hidden, inner);
      tensor(writer, prefix + "ffn_up.weight", GgufTensorType.F16, hidden, inner);
      tensor(writer, prefix + "ffn_down.weight", GgufTensorType.F16, inner, hidden);
    }
    tensor(writer, "output_norm.weight", GgufTensorType.F32, hidden);
  }

  /** Adds a tensor of zeros, or replaces one. */
  public static GgufWriter tensor(
      GgufWriter writer, String name, GgufTensorType type, Long... dims) {
    List<Long> lengths = List.of(dims);
    long elements = lengths.stream().reduce(1L, Math::multiplyExact);
    int size = Math.toIntExact(type.byteSize(elements));
    return writer.tensor(name, type, lengths, out -> out.write(ByteBuffer.allocate(size)));
  }
}
