package dev.murmuration.cli;

import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.reward.Options;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * What matrix multiplication reaches on this machine with a model's weights: the operations a
 * second of a model that does little else, one layer with a large feed-forward network, on {@value
 * #TOKENS} tokens. Its matrices are filled with the measured model's own weights, over and over, so
 * that every type can be measured, also those that cannot be quantized to.
 */
final class MatrixPeak {
  static final int HIDDEN = 2048;
  static final int FEED_FORWARD = 8192;
  private static final int TOKENS = 512;

  /** Enough for one that nothing disturbs. */
  private static final int REPETITIONS = 8;

  private static final int HEAD = 256; // A whole block of every type.
  private static final int MOST_BYTES = 1 << 24;

  private final Gguf source;
  private final GgufTensorType type;
  private final GgufWriter writer = new GgufWriter();
  private double parameters;

  private MatrixPeak(Gguf source) {
    this.source = source;
    this.type = mainType(source);
  }

  /** The type of most of a model's weights; its embedding, which is looked up, does not count. */
  static GgufTensorType mainType(Gguf gguf) {
    Map<GgufTensorType, Long> elements =
        matrices(gguf).stream()
            .collect(
                Collectors.groupingBy(
                    GgufTensor::type, Collectors.summingLong(GgufTensor::elements)));
    return elements.entrySet().stream()
        .max(Map.Entry.<GgufTensorType, Long>comparingByValue().thenComparing(Map.Entry::getKey))
        .orElseThrow()
        .getKey();
  }

  private static List<GgufTensor> matrices(Gguf gguf) {
    return gguf.tensors().stream()
        .filter(tensor -> tensor.dims().size() == 2 && tensor.name().startsWith("blk."))
        .toList();
  }

  /**
   * Measures.
   *
   * @param source the model whose weights are taken
   * @param options what it is loaded with; where to compute and with how many threads
   * @param seconds how long to measure
   * @return operations a second, the most of all repetitions
   * @throws IOException if there is no room for a temporary file of up to 250 MB
   */
  static double measure(Gguf source, Options options, double seconds, LoadProgress progress)
      throws IOException {
    MatrixPeak peak = new MatrixPeak(source);
    try (RewardModel model = peak.load(options)) {
      String text = "a".repeat(TOKENS - 1); // With BOS.
      int tokens = model.scoreText(text).tokens();
      BenchTimes times = Bench.repeat(seconds, REPETITIONS, progress, () -> model.scoreText(text));
      double attention = 4.0 * HEAD * (tokens + 1) / 2;
      return tokens * (2 * peak.parameters + attention) / times.shortest();
    }
  }

  /** The file is needed only until it is open. */
  private RewardModel load(Options options) throws IOException {
    Path file = Files.createTempFile("murmur-bench-", ".gguf");
    file.toFile().deleteOnExit(); // After Ctrl-C, too.
    try {
      build();
      try (FileChannel out = FileChannel.open(file, StandardOpenOption.WRITE)) {
        writer.writeTo(out);
      }
      return RewardModel.load(file, options(options));
    } finally {
      Files.deleteIfExists(file);
    }
  }

  private static Options options(Options given) {
    Options options =
        Options.defaults()
            .threads(given.threads())
            .gpuLayers(given.gpuLayers())
            .memoryMap(given.memoryMap())
            .contextLength(TOKENS)
            .reuse(false)
            // The other way computes but one row of the last layer, which here is the only one.
            .everyOutput(true);
    return given.device().isPresent() ? options.device(given.device().get()) : options;
  }

  private void build() throws IOException {
    writer
        .metadata("general.architecture", GgufValue.text("llama"))
        .metadata("llama.block_count", GgufValue.uint32(1))
        .metadata("llama.context_length", GgufValue.uint32(TOKENS))
        .metadata("llama.embedding_length", GgufValue.uint32(HIDDEN))
        .metadata("llama.feed_forward_length", GgufValue.uint32(FEED_FORWARD))
        .metadata("llama.attention.head_count", GgufValue.uint32(1))
        .metadata("llama.attention.key_length", GgufValue.uint32(HEAD))
        .metadata("llama.attention.value_length", GgufValue.uint32(HEAD))
        .metadata("llama.rope.dimension_count", GgufValue.uint32(HEAD))
        .metadata("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(1e-5f))
        .metadata("reward_model.value_head.weight", GgufValue.floats(new float[HIDDEN]));
    int vocabulary = vocabulary();
    byte[] weights = weights();
    matrix("token_embd", HIDDEN, vocabulary, weights);
    ones("blk.0.attn_norm");
    matrix("blk.0.attn_q", HIDDEN, HEAD, weights);
    matrix("blk.0.attn_k", HIDDEN, HEAD, weights);
    matrix("blk.0.attn_v", HIDDEN, HEAD, weights);
    matrix("blk.0.attn_output", HEAD, HIDDEN, weights);
    ones("blk.0.ffn_norm");
    matrix("blk.0.ffn_gate", HIDDEN, FEED_FORWARD, weights);
    matrix("blk.0.ffn_up", HIDDEN, FEED_FORWARD, weights);
    matrix("blk.0.ffn_down", FEED_FORWARD, HIDDEN, weights);
    ones("output_norm");
  }

  /** The least that llama.cpp takes: special tokens and bytes. */
  private int vocabulary() {
    List<String> tokens = new ArrayList<>(List.of("<unk>", "<s>", "</s>"));
    HexFormat hex = HexFormat.of().withUpperCase();
    for (int value = 0; value < 256; value++) {
      tokens.add("<0x" + hex.toHexDigits((byte) value) + ">");
    }
    int[] types = new int[tokens.size()];
    for (int id = 0; id < types.length; id++) {
      types[id] = id == 0 ? 2 : id < 3 ? 3 : 6; // Unknown, control, byte.
    }
    writer
        .metadata("tokenizer.ggml.model", GgufValue.text("llama"))
        .metadata("tokenizer.ggml.tokens", GgufValue.strings(tokens))
        .metadata("tokenizer.ggml.scores", GgufValue.floats(new float[types.length]))
        .metadata("tokenizer.ggml.token_type", GgufValue.ints(types))
        .metadata("tokenizer.ggml.bos_token_id", GgufValue.uint32(1))
        .metadata("tokenizer.ggml.unknown_token_id", GgufValue.uint32(0))
        .metadata("tokenizer.ggml.add_space_prefix", GgufValue.bool(false));
    return types.length;
  }

  /** Whole blocks of the largest matrix of the main type. */
  private byte[] weights() throws IOException {
    GgufTensor tensor =
        matrices(source).stream()
            .filter(matrix -> matrix.type() == type)
            .max(Comparator.comparingLong(GgufTensor::byteSize))
            .orElseThrow();
    int block = type.bytesPerBlock();
    long bytes = Math.min(tensor.byteSize(), MOST_BYTES / block * (long) block);
    ByteBuffer weights = ByteBuffer.allocate((int) bytes);
    try (FileChannel in = FileChannel.open(source.path(), StandardOpenOption.READ)) {
      long position = source.dataOffset() + tensor.offset();
      while (weights.hasRemaining()) {
        if (in.read(weights, position + weights.position()) < 0) {
          throw new IOException(source.path() + ": the file became shorter while it was read");
        }
      }
    }
    return weights.array();
  }

  private void matrix(String name, long rowLength, long rows, byte[] weights) {
    parameters += rowLength * rows; // Those of the embedding, too: it is the output head.
    long size = type.byteSize(rowLength * rows);
    writer.tensor(
        name + ".weight", type, List.of(rowLength, rows), out -> write(out, weights, size));
  }

  private static void write(WritableByteChannel out, byte[] weights, long size) throws IOException {
    for (long left = size; left > 0; ) {
      ByteBuffer part = ByteBuffer.wrap(weights, 0, (int) Math.min(left, weights.length));
      left -= part.remaining();
      while (part.hasRemaining()) {
        out.write(part);
      }
    }
  }

  private void ones(String name) {
    ByteBuffer ones = ByteBuffer.allocate(Float.BYTES * HIDDEN).order(ByteOrder.LITTLE_ENDIAN);
    while (ones.hasRemaining()) {
      ones.putFloat(1);
    }
    byte[] bytes = ones.array();
    writer.tensor(
        name + ".weight",
        GgufTensorType.F32,
        List.of((long) HIDDEN),
        out -> write(out, bytes, bytes.length));
  }
}
