package dev.murmuration.checkpoint;

import dev.murmuration.gguf.CraftedModel;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.RewardMetadata;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;

/**
 * A reward model with rows of 256 random numbers, which K-quants need, and 8 layers, so that
 * llama.cpp's mixes treat some of them differently.
 */
public final class WideModel {
  public static final int HIDDEN = 256;
  public static final int LAYERS = 8;

  private static final int HEADS = 4;
  private static final long KEYS = 128;

  private final GgufWriter writer = new GgufWriter();
  private final Random random = new Random(20_261_124);
  private final boolean mxfp4;

  private WideModel(boolean mxfp4) {
    this.mxfp4 = mxfp4;
  }

  /** Writes it into the named file. */
  public static void main(String[] arguments) throws IOException {
    write(Path.of(arguments[0]));
  }

  /** Writes it with matrices in F16. */
  public static void write(Path file) throws IOException {
    write(file, false);
  }

  /** Writes it with the layers' matrices in MXFP4, which llama.cpp quantizes experts alone to. */
  public static void writeMxfp4(Path file) throws IOException {
    write(file, true);
  }

  private static void write(Path file, boolean mxfp4) throws IOException {
    WideModel model = new WideModel(mxfp4);
    model.metadata();
    model.tensors();
    model.writer.write(file);
  }

  private void metadata() {
    float[] head = new float[HIDDEN];
    for (int i = 0; i < HIDDEN; i++) {
      head[i] = (float) random.nextGaussian();
    }
    writer
        .metadata("general.architecture", GgufValue.text("llama"))
        .metadata("general.name", GgufValue.text("wide"))
        .metadata("llama.block_count", GgufValue.uint32(LAYERS))
        .metadata("llama.context_length", GgufValue.uint32(512))
        .metadata("llama.embedding_length", GgufValue.uint32(HIDDEN))
        .metadata("llama.feed_forward_length", GgufValue.uint32(HIDDEN))
        .metadata("llama.attention.head_count", GgufValue.uint32(HEADS))
        .metadata("llama.attention.head_count_kv", GgufValue.uint32(HEADS / 2))
        .metadata("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(1e-5f))
        .metadata("general.file_type", GgufValue.uint32(1))
        .metadata(RewardMetadata.VALUE_HEAD, GgufValue.floats(head))
        .metadata("reward_model.template", GgufValue.text("llama2"))
        .metadata("reward_model.max_length", GgufValue.uint32(512))
        .metadata("reward_model.readout", GgufValue.text("last_token"));
    CraftedModel.tokenizer(writer);
  }

  private void tensors() {
    matrix("token_embd", HIDDEN, CraftedModel.VOCABULARY_SIZE);
    for (int layer = 0; layer < LAYERS; layer++) {
      String prefix = "blk." + layer + ".";
      vector(prefix + "attn_norm");
      matrix(prefix + "attn_q", HIDDEN, HIDDEN);
      matrix(prefix + "attn_k", HIDDEN, KEYS);
      matrix(prefix + "attn_v", HIDDEN, KEYS);
      matrix(prefix + "attn_output", HIDDEN, HIDDEN);
      vector(prefix + "ffn_norm");
      matrix(prefix + "ffn_gate", HIDDEN, HIDDEN);
      matrix(prefix + "ffn_up", HIDDEN, HIDDEN);
      matrix(prefix + "ffn_down", HIDDEN, HIDDEN);
    }
    vector("output_norm");
  }

  private void vector(String name) {
    ByteBuffer bytes = buffer(HIDDEN * Float.BYTES);
    while (bytes.hasRemaining()) {
      bytes.putFloat(1 + 0.1f * (float) random.nextGaussian());
    }
    add(name, GgufTensorType.F32, List.of((long) HIDDEN), bytes.flip());
  }

  private void matrix(String name, long row, long rows) {
    if (mxfp4 && name.startsWith("blk")) {
      mxfp4(name, row, rows);
      return;
    }
    ByteBuffer bytes = buffer((int) (row * rows * Short.BYTES));
    while (bytes.hasRemaining()) {
      bytes.putShort(Float.floatToFloat16(0.05f * (float) random.nextGaussian()));
    }
    add(name, GgufTensorType.F16, List.of(row, rows), bytes.flip());
  }

  /** Blocks of 32: an exponent, and 4 bits each that stand for 0 to ±6 times its power of two. */
  private void mxfp4(String name, long row, long rows) {
    ByteBuffer bytes = buffer((int) (row * rows / 32 * 17));
    byte[] numbers = new byte[16];
    while (bytes.hasRemaining()) {
      random.nextBytes(numbers);
      bytes.put((byte) (127 - 5)).put(numbers);
    }
    add(name, GgufTensorType.MXFP4, List.of(row, rows), bytes.flip());
  }

  private void add(String name, GgufTensorType type, List<Long> dims, ByteBuffer bytes) {
    writer.tensor(name + ".weight", type, dims, out -> out.write(bytes.duplicate()));
  }

  private static ByteBuffer buffer(int size) {
    return ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
  }
}
