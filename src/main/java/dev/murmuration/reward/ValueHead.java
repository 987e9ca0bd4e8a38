package dev.murmuration.reward;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.murmuration.gguf.ForeignFile;
import dev.murmuration.gguf.Gguf;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * The linear value head: {@code reward = weights · hiddenState}, without a bias. Float32 weights,
 * never quantized; the product is summed in double. Immutable.
 */
public final class ValueHead {
  /** Metadata key of a GGUF: an array of float32, one for each hidden unit. */
  public static final String GGUF_KEY = "reward_model.value_head.weight";

  private static final List<String> TENSOR_NAMES = List.of("v_head.weight", "score.weight");
  private static final int MAX_SAFETENSORS_HEADER = 100 << 20;

  private final float[] weights;

  private ValueHead(float[] weights, int hiddenSize, String source) throws IOException {
    if (weights.length != hiddenSize) {
      throw new IOException(
          source
              + " has "
              + weights.length
              + " weights, but the model's hidden states have "
              + hiddenSize
              + "; take the head that belongs to this model");
    }
    for (int i = 0; i < weights.length; i++) {
      if (!Float.isFinite(weights[i])) {
        throw new IOException(source + " is damaged: weight " + i + " is " + weights[i]);
      }
    }
    this.weights = weights;
  }

  /**
   * The head in a GGUF's metadata.
   *
   * @throws IOException if there is none, or it does not fit
   */
  public static ValueHead of(Gguf gguf, int hiddenSize) throws IOException {
    float[] weights =
        gguf.floats(GGUF_KEY)
            .orElseThrow(
                () ->
                    new IOException(
                        gguf.path()
                            + " is no reward model: it has no value head (metadata key "
                            + GGUF_KEY
                            + "); convert the reward model's own checkpoint, or name the head with"
                            + " --value-head FILE.safetensors"));
    return new ValueHead(weights, hiddenSize, gguf.path() + ": " + GGUF_KEY);
  }

  /**
   * The head in a safetensors file: its tensor {@code v_head.weight} or {@code score.weight}, shape
   * [1, hiddenSize] or [hiddenSize], F32, F16 or BF16. Format: huggingface.co/docs/safetensors.
   *
   * @throws IOException if there is none, or it does not fit
   */
  public static ValueHead ofSafetensors(Path file, int hiddenSize) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(
          file
              + (Files.exists(file) ? " is not a file" : " does not exist")
              + "; --value-head names a safetensors file");
    }
    try (FileChannel channel = FileChannel.open(file)) {
      long length = channel.size() < 8 ? 0 : read(channel, 0, 8).getLong();
      Optional<String> packed =
          ForeignFile.packed(read(channel, 0, (int) Math.min(8, channel.size())).array());
      if (packed.isPresent()) {
        throw new IOException(file + " " + packed.get());
      }
      if (length < 2 || length > Math.min(channel.size() - 8, MAX_SAFETENSORS_HEADER)) {
        throw new IOException(
            file
                + " is no safetensors file: its header's length is "
                + length
                + ", the file has "
                + channel.size()
                + " bytes");
      }
      JsonNode header = header(file, read(channel, 8, (int) length));
      String name =
          TENSOR_NAMES.stream()
              .filter(header::has)
              .findFirst()
              .orElseThrow(
                  () ->
                      new IOException(
                          file + " holds neither " + String.join(" nor ", TENSOR_NAMES)));
      JsonNode tensor = header.get(name);
      String type = tensor.path("dtype").asText();
      int width =
          switch (type) {
            case "F32" -> 4;
            case "F16", "BF16" -> 2;
            default ->
                throw new IOException(
                    file + ": " + name + " has type '" + type + "'; F32, F16 and BF16 are read");
          };
      long from = tensor.path("data_offsets").path(0).asLong(-1);
      long to = tensor.path("data_offsets").path(1).asLong(-1);
      if (from < 0 || to - from != (long) width * hiddenSize || to > channel.size() - 8 - length) {
        throw new IOException(
            file
                + ": "
                + name
                + " takes bytes "
                + from
                + " to "
                + to
                + " of "
                + (channel.size() - 8 - length)
                + "; "
                + hiddenSize
                + " weights of "
                + type
                + " are needed");
      }
      ByteBuffer data = read(channel, 8 + length + from, width * hiddenSize);
      float[] weights = new float[hiddenSize];
      for (int i = 0; i < hiddenSize; i++) {
        weights[i] =
            switch (type) {
              case "F32" -> data.getFloat();
              case "F16" -> Float.float16ToFloat(data.getShort());
              default -> Float.intBitsToFloat(data.getShort() << 16);
            };
      }
      return new ValueHead(weights, hiddenSize, file + ": " + name);
    }
  }

  private static JsonNode header(Path file, ByteBuffer json) throws IOException {
    try {
      return new ObjectMapper().readTree(StandardCharsets.UTF_8.decode(json).toString());
    } catch (com.fasterxml.jackson.core.JsonProcessingException e) {
      throw new IOException(
          file + " is no safetensors file: its header is not JSON (" + e.getOriginalMessage() + ")",
          e);
    }
  }

  private static ByteBuffer read(FileChannel channel, long position, int size) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(size).order(ByteOrder.LITTLE_ENDIAN);
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, position + buffer.position()) < 0) {
        throw new IOException("the file ended while it was read");
      }
    }
    return buffer.flip();
  }

  /** Floats a hidden state. */
  public int hiddenSize() {
    return weights.length;
  }

  /**
   * The reward of one hidden state.
   *
   * @param states float32 matrix of shape [rows, hiddenSize], row by row
   * @param row which row to project
   */
  public double reward(float[] states, int row) {
    double sum = 0;
    int from = row * weights.length;
    for (int i = 0; i < weights.length; i++) {
      sum += (double) weights[i] * states[from + i];
    }
    return sum;
  }
}
