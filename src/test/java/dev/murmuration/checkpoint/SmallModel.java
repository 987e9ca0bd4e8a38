package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.tensors.NumberType;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;

/**
 * A reward model of 30,000 random numbers with grouped key/value heads, and a tokenizer of 300
 * tokens: small enough to be converted some thousand times in a test.
 */
public final class SmallModel {
  static final int HIDDEN = 32;
  static final int INNER = 64;
  static final int HEADS = 4;
  static final int KEY_VALUE_HEADS = 2;
  static final int HEAD_SIZE = 8;
  static final int LAYERS = 2;
  static final int VOCABULARY = 300;

  private SmallModel() {}

  /** Writes config.json and tokenizer.model. */
  public static void writeSurroundings(Path folder) throws IOException {
    Files.write(folder.resolve("config.json"), new ObjectMapper().writeValueAsBytes(config()));
    Files.write(folder.resolve("tokenizer.model"), tokenizer());
  }

  static ObjectNode config() {
    ObjectNode config = new ObjectMapper().createObjectNode();
    config.put("model_type", "llama").put("hidden_size", HIDDEN).put("intermediate_size", INNER);
    config.put("num_attention_heads", HEADS).put("num_key_value_heads", KEY_VALUE_HEADS);
    config.put("num_hidden_layers", LAYERS).put("vocab_size", VOCABULARY);
    config.put("max_position_embeddings", 4096).put("rms_norm_eps", 1e-5);
    config.putObject("rope_parameters").put("rope_theta", 500000.0).put("rope_type", "default");
    return config.put("dtype", "float16");
  }

  /** The body under a prefix, and the value head. */
  static List<TestTensor> tensors(NumberType type, String prefix) {
    Random random = new Random(20_261_124);
    List<TestTensor> tensors = new ArrayList<>();
    add(tensors, random, type, prefix + "embed_tokens", VOCABULARY, HIDDEN);
    for (int layer = 0; layer < LAYERS; layer++) {
      String name = prefix + "layers." + layer + ".";
      add(tensors, random, type, name + "self_attn.q_proj", HEADS * HEAD_SIZE, HIDDEN);
      add(tensors, random, type, name + "self_attn.k_proj", KEY_VALUE_HEADS * HEAD_SIZE, HIDDEN);
      add(tensors, random, type, name + "self_attn.v_proj", KEY_VALUE_HEADS * HEAD_SIZE, HIDDEN);
      add(tensors, random, type, name + "self_attn.o_proj", HIDDEN, HEADS * HEAD_SIZE);
      add(tensors, random, type, name + "mlp.gate_proj", INNER, HIDDEN);
      add(tensors, random, type, name + "mlp.up_proj", INNER, HIDDEN);
      add(tensors, random, type, name + "mlp.down_proj", HIDDEN, INNER);
      add(tensors, random, type, name + "input_layernorm", HIDDEN);
      add(tensors, random, type, name + "post_attention_layernorm", HIDDEN);
    }
    add(tensors, random, type, prefix + "norm", HIDDEN);
    add(tensors, random, type, "v_head", 1, HIDDEN);
    return tensors;
  }

  private static void add(
      List<TestTensor> tensors, Random random, NumberType type, String name, long... shape) {
    List<Long> lengths = Arrays.stream(shape).boxed().toList();
    float[] numbers = new float[(int) lengths.stream().reduce(1L, Math::multiplyExact).longValue()];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] = (float) random.nextGaussian();
    }
    tensors.add(TestTensor.of(name + ".weight", type, lengths, numbers));
  }

  /** A tokenizer.model: three special tokens, 256 bytes, single characters. */
  static byte[] tokenizer() {
    return tokenizer(VOCABULARY);
  }

  /** The same with so many tokens. */
  static byte[] tokenizer(int vocabulary) {
    ByteArrayOutputStream model = new ByteArrayOutputStream();
    piece(model, "<unk>", 0, 2);
    piece(model, "<s>", 0, 3);
    piece(model, "</s>", 0, 3);
    for (int value = 0; value < 256; value++) {
      piece(model, "<0x%02X>".formatted(value), 0, 6);
    }
    for (int i = 259; i < vocabulary; i++) {
      piece(model, Character.toString('!' + i - 259), 259 - i, 1);
    }
    message(model, 2, new byte[] {3 << 3, 2}); // TrainerSpec.model_type = BPE
    // NormalizerSpec: add_dummy_prefix, no remove_extra_whitespaces
    message(model, 3, new byte[] {3 << 3, 1, 4 << 3, 0});
    return model.toByteArray();
  }

  private static void piece(ByteArrayOutputStream model, String text, float score, int type) {
    ByteArrayOutputStream piece = new ByteArrayOutputStream();
    message(piece, 1, text.getBytes(StandardCharsets.UTF_8));
    piece.write(2 << 3 | 5);
    ByteBuffer bits = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
    piece.writeBytes(bits.putFloat(score).array());
    piece.write(3 << 3);
    piece.write(type);
    message(model, 1, piece.toByteArray());
  }

  private static void message(ByteArrayOutputStream out, int field, byte[] bytes) {
    out.write(field << 3 | 2);
    out.write(bytes.length);
    out.writeBytes(bytes);
  }
}
