package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.NumberType;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.SeekableByteChannel;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * The value head in a GGUF: in its metadata, or the tensor {@code cls.output}, as llama.cpp's
 * converter writes the head of a classifier.
 */
final class GgufHead {
  private static final String WEIGHT = "cls.output.weight";
  private static final String BIAS = "cls.output.bias";

  /** What the outputs of a classifier are called, an array of texts; llama.cpp's key. */
  private static final String LABELS = ".classifier.output_labels";

  private static final Map<GgufTensorType, NumberType> TYPES =
      Map.of(
          GgufTensorType.F32, NumberType.F32,
          GgufTensorType.F16, NumberType.F16,
          GgufTensorType.BF16, NumberType.BF16);

  private GgufHead() {}

  /** Whether a tensor is the head's. */
  static boolean isHead(GgufTensor tensor) {
    return tensor.name().equals(WEIGHT) || tensor.name().equals(BIAS);
  }

  /**
   * Checks the type of a head's tensor.
   *
   * @throws BadFileException if it is quantized
   */
  static void check(Gguf gguf, GgufTensor tensor) throws BadFileException {
    if (!TYPES.containsKey(tensor.type())) {
      throw gguf.problem(
          "the tensor "
              + tensor.name()
              + " has the type "
              + tensor.type()
              + "; a value head has to be F32, F16 or BF16: convert the model again");
    }
  }

  /**
   * Reads the head; empty if there is none.
   *
   * @param channel the file, where it lies open
   */
  static Optional<ValueHead> read(
      Gguf gguf, int hiddenSize, HeadWish wish, SeekableByteChannel channel) throws IOException {
    Optional<ValueHead> inMetadata = HeadMetadata.read(gguf, hiddenSize);
    List<CheckpointTensor> tensors =
        gguf.tensors().stream()
            .filter(GgufHead::isHead)
            .map(tensor -> tensor(gguf, tensor))
            .toList();
    if (inMetadata.isPresent() || gguf.tensor(WEIGHT).isEmpty()) {
      return inMetadata;
    }
    String key = gguf.string("general.architecture").orElse("") + LABELS;
    List<String> labels =
        gguf.metadata().containsKey(key) && gguf.array(key, GgufValueType.STRING).isPresent()
            ? gguf.strings(key).orElseThrow()
            : List.of();
    HeadWish row = new HeadWish(Optional.empty(), wish.row());
    return Optional.of(
        HeadTensors.find(gguf.path(), tensors, hiddenSize, row, labels)
            .read(tensor -> floats(tensor, channel)));
  }

  private static CheckpointTensor tensor(Gguf gguf, GgufTensor tensor) {
    return new CheckpointTensor(
        tensor.name(),
        TYPES.get(tensor.type()),
        tensor.dims().reversed(),
        gguf.path(),
        gguf.dataOffset() + tensor.offset(),
        Optional.empty());
  }

  private static float[] floats(CheckpointTensor tensor, SeekableByteChannel channel)
      throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Math.toIntExact(tensor.byteSize()));
    channel.position(tensor.offset());
    while (bytes.hasRemaining()) {
      if (channel.read(bytes) < 0) {
        throw new EOFException(tensor.file() + " ends within the tensor " + tensor.name());
      }
    }
    return tensor.type().floats(bytes.flip());
  }
}
