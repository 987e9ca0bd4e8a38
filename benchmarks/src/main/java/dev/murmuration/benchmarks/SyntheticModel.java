package dev.murmuration.benchmarks;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Writes a reward model of any shape with random weights, float16: for speed, and for comparing
 * quantizations, never for judging text. The vocabulary is that of the test model.
 *
 * <p>Weights are normal with variance 1/row length, which keeps activations near 1 at any depth, as
 * training does.
 */
public final class SyntheticModel {
  private static final Path VOCABULARY = Path.of("src/test/resources/models/tiny-rm-f32.gguf");
  private static final int VOCABULARY_SIZE = 32_000;
  private static final int BUFFER = 1 << 20;

  /** Sizes of a model of architecture {@code llama}. */
  public record Shape(
      String name, int hidden, int layers, int heads, int keyValueHeads, int feedForward) {
    /** TinyLlama's shape, 1.03 billion parameters without the language-model head. */
    public static final Shape B1_1 = new Shape("1.1B", 2048, 22, 32, 4, 5632);

    /** Starling-RM's. */
    public static final Shape B7 = new Shape("7B", 4096, 32, 32, 32, 11008);

    /** Small enough for a try. */
    public static final Shape M50 = new Shape("50M", 512, 8, 8, 8, 1536);

    static Shape of(String name) {
      return List.of(B1_1, B7, M50).stream()
          .filter(shape -> shape.name().equalsIgnoreCase(name))
          .findFirst()
          .orElseThrow(
              () -> new IllegalArgumentException("no shape '" + name + "'; 50M, 1.1B or 7B"));
    }
  }

  private SyntheticModel() {}

  /** {@code SyntheticModel 1.1B out.gguf}. */
  public static void main(String[] args) throws IOException {
    if (args.length != 2) {
      System.err.println("usage: SyntheticModel 50M|1.1B|7B OUT.gguf");
      System.exit(2);
    }
    write(Shape.of(args[0]), Path.of(args[1]), 1);
  }

  /** Writes the model; the same seed gives the same bytes. */
  public static void write(Shape shape, Path target, long seed) throws IOException {
    Gguf vocabulary = GgufReader.read(VOCABULARY);
    GgufWriter writer = new GgufWriter();
    writer.metadata("general.architecture", GgufValue.text("llama"));
    writer.metadata("general.name", GgufValue.text("synthetic " + shape.name()));
    int headSize = shape.hidden() / shape.heads();
    writer.metadata("llama.block_count", GgufValue.uint32(shape.layers()));
    writer.metadata("llama.context_length", GgufValue.uint32(4096));
    writer.metadata("llama.embedding_length", GgufValue.uint32(shape.hidden()));
    writer.metadata("llama.feed_forward_length", GgufValue.uint32(shape.feedForward()));
    writer.metadata("llama.attention.head_count", GgufValue.uint32(shape.heads()));
    writer.metadata("llama.attention.head_count_kv", GgufValue.uint32(shape.keyValueHeads()));
    writer.metadata("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(1e-5f));
    writer.metadata("llama.rope.freq_base", GgufValue.float32(10_000));
    writer.metadata("llama.rope.dimension_count", GgufValue.uint32(headSize));
    writer.metadata("llama.vocab_size", GgufValue.uint32(VOCABULARY_SIZE));
    writer.metadata("general.file_type", GgufValue.uint32(1));
    vocabulary
        .metadata()
        .forEach(
            (key, value) -> {
              if (key.startsWith("tokenizer.") || key.startsWith("reward_model.")) {
                writer.metadata(key, value);
              }
            });
    SplittableRandom random = new SplittableRandom(seed);
    float[] head = new float[shape.hidden()];
    for (int i = 0; i < head.length; i++) {
      head[i] = (float) (random.nextGaussian() / Math.sqrt(shape.hidden()));
    }
    writer.metadata("reward_model.value_head.weight", GgufValue.floats(head));

    int keyValueSize = headSize * shape.keyValueHeads();
    matrix(writer, "token_embd", shape.hidden(), VOCABULARY_SIZE, random);
    for (int layer = 0; layer < shape.layers(); layer++) {
      String block = "blk." + layer + ".";
      ones(writer, block + "attn_norm", shape.hidden());
      matrix(writer, block + "attn_q", shape.hidden(), shape.hidden(), random);
      matrix(writer, block + "attn_k", shape.hidden(), keyValueSize, random);
      matrix(writer, block + "attn_v", shape.hidden(), keyValueSize, random);
      matrix(writer, block + "attn_output", shape.hidden(), shape.hidden(), random);
      ones(writer, block + "ffn_norm", shape.hidden());
      matrix(writer, block + "ffn_gate", shape.hidden(), shape.feedForward(), random);
      matrix(writer, block + "ffn_up", shape.hidden(), shape.feedForward(), random);
      matrix(writer, block + "ffn_down", shape.feedForward(), shape.hidden(), random);
    }
    ones(writer, "output_norm", shape.hidden());
    writer.write(target);
    System.err.println(target + ": " + Files.size(target) + " bytes");
  }

  private static void matrix(
      GgufWriter writer, String name, int rowLength, int rows, SplittableRandom parent) {
    SplittableRandom random = parent.split();
    double deviation = 1 / Math.sqrt(rowLength);
    writer.tensor(
        name + ".weight",
        GgufTensorType.F16,
        List.of((long) rowLength, (long) rows),
        out -> write(out, (long) rowLength * rows, deviation, random));
  }

  private static void write(
      WritableByteChannel out, long count, double deviation, SplittableRandom random)
      throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    for (long left = count; left > 0; ) {
      buffer.clear();
      for (; left > 0 && buffer.hasRemaining(); left--) {
        buffer.putShort(Float.floatToFloat16((float) (random.nextGaussian() * deviation)));
      }
      buffer.flip();
      while (buffer.hasRemaining()) {
        out.write(buffer);
      }
    }
  }

  private static void ones(GgufWriter writer, String name, int length) {
    ByteBuffer ones = ByteBuffer.allocate(4 * length).order(ByteOrder.LITTLE_ENDIAN);
    while (ones.hasRemaining()) {
      ones.putFloat(1);
    }
    writer.tensor(
        name + ".weight",
        GgufTensorType.F32,
        List.of((long) length),
        out -> {
          ByteBuffer data = ones.duplicate().flip();
          while (data.hasRemaining()) {
            out.write(data);
          }
        });
  }
}
