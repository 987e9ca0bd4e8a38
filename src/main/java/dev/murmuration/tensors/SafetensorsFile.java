package dev.murmuration.tensors;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * A file of safetensors: eight bytes with the length of a JSON header, the header, the numbers
 * (https://github.com/huggingface/safetensors#format).
 */
public final class SafetensorsFile {
  private static final int MAX_DIMENSIONS = 8;
  private static final int PIECE = 1 << 20;

  private final Path file;
  private final long dataOffset;
  private final long dataSize;

  private SafetensorsFile(Path file, long dataOffset, long dataSize) {
    this.file = file;
    this.dataOffset = dataOffset;
    this.dataSize = dataSize;
  }

  /** The tensors in the order of the header, checked to fill the file without gap or overlap. */
  public static List<CheckpointTensor> read(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      return read(file, channel, bytes -> {});
    }
  }

  /** Takes the numbers of tensors as they come from a file. */
  @FunctionalInterface
  public interface Receiver {
    /**
     * Where the numbers of a tensor go: an array of its length.
     *
     * @throws IOException if it is not wanted
     */
    float[] arrayFor(CheckpointTensor tensor) throws IOException;
  }

  /**
   * Reads a whole file once, from the first byte to the last.
   *
   * @param bytes told every byte in order
   * @param receiver asked for each tensor in the order of the data; only F32, F16 and BF16 can be
   *     read
   */
  public static void readAll(Path file, Consumer<ByteBuffer> bytes, Receiver receiver)
      throws IOException {
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      List<CheckpointTensor> tensors = new ArrayList<>(read(file, channel, bytes));
      tensors.sort(Comparator.comparingLong(CheckpointTensor::offset));
      ByteBuffer piece = ByteBuffer.allocate(PIECE);
      for (CheckpointTensor tensor : tensors) {
        float[] numbers = receiver.arrayFor(tensor);
        int size = tensor.type().byteSize();
        int done = 0;
        while (done < numbers.length) {
          int count = Math.min(PIECE / size, numbers.length - done);
          piece.clear().limit(count * size);
          FileBytes.readFully(file, channel, tensor.offset() + (long) done * size, piece);
          bytes.accept(piece.flip().duplicate());
          System.arraycopy(tensor.type().floats(piece), 0, numbers, done, count);
          done += count;
        }
      }
    }
  }

  private static List<CheckpointTensor> read(
      Path file, FileChannel channel, Consumer<ByteBuffer> bytes) throws IOException {
    long size = channel.size();
    if (size < Long.BYTES) {
      throw new BadFileException(file, "has " + size + " bytes; this is no safetensors file");
    }
    ByteBuffer length = FileBytes.bytes(file, channel, 0, Long.BYTES);
    long header = length.getLong(0);
    if (header < 0 || header > Math.min(size - Long.BYTES, JsonFile.MAX_BYTES)) {
      throw new BadFileException(
          file,
          "has a header of "
              + Long.toUnsignedString(header)
              + " bytes, the limit is "
              + Math.min(size - Long.BYTES, JsonFile.MAX_BYTES)
              + "; this is no safetensors file, or it is cut short");
    }
    byte[] json = new byte[(int) header];
    FileBytes.readFully(file, channel, Long.BYTES, ByteBuffer.wrap(json));
    bytes.accept(length);
    bytes.accept(ByteBuffer.wrap(json));
    long dataOffset = Long.BYTES + header;
    return new SafetensorsFile(file, dataOffset, size - dataOffset)
        .tensors(JsonFile.parse(file, "the header ", json));
  }

  private List<CheckpointTensor> tensors(JsonNode header) throws BadFileException {
    List<CheckpointTensor> tensors = new ArrayList<>();
    for (Map.Entry<String, JsonNode> entry : header.properties()) {
      if (!entry.getKey().equals("__metadata__")) {
        tensors.add(tensor(entry.getKey(), entry.getValue()));
      }
    }
    checkCoverage(tensors);
    return tensors;
  }

  private CheckpointTensor tensor(String name, JsonNode entry) throws BadFileException {
    String typeName = entry.path("dtype").asText();
    NumberType type = null;
    for (NumberType candidate : NumberType.values()) {
      if (candidate.name().equals(typeName)) {
        type = candidate;
      }
    }
    if (type == null) {
      throw problem(
          name,
          "has the dtype "
              + BadFileException.quote(typeName)
              + "; weights have to be F32, F16 or BF16: take the checkpoint of this model that is"
              + " not quantized");
    }
    List<Long> shape = numbers(name, entry.path("shape"), "shape");
    List<Long> range = numbers(name, entry.path("data_offsets"), "data_offsets");
    if (range.size() != 2 || range.get(0) > range.get(1) || range.get(1) > dataSize) {
      throw problem(name, "lies at " + range + ", the file has " + dataSize + " bytes of data");
    }
    CheckpointTensor tensor =
        new CheckpointTensor(name, type, shape, file, dataOffset + range.get(0), Optional.empty());
    if (byteSize(tensor) != range.get(1) - range.get(0)) {
      throw problem(
          name,
          "has the shape " + shape + " of " + type + ", which is not the " + range + " it fills");
    }
    return tensor;
  }

  private long byteSize(CheckpointTensor tensor) throws BadFileException {
    try {
      return tensor.byteSize();
    } catch (ArithmeticException e) {
      throw problem(tensor.name(), "has the shape " + tensor.shape() + ", more than 2^63 bytes");
    }
  }

  private List<Long> numbers(String name, JsonNode array, String what) throws BadFileException {
    if (!array.isArray() || array.size() > MAX_DIMENSIONS) {
      throw problem(name, "has no " + what + " of at most " + MAX_DIMENSIONS + " numbers");
    }
    List<Long> numbers = new ArrayList<>(array.size());
    for (JsonNode number : array) {
      if (!number.isIntegralNumber() || !number.canConvertToLong() || number.longValue() < 0) {
        throw problem(name, "has " + BadFileException.quote(number.toString()) + " in its " + what);
      }
      numbers.add(number.longValue());
    }
    return numbers;
  }

  /**
   * Refuses gaps and overlaps, which the format forbids; a file that has them is damaged or
   * hostile.
   */
  private void checkCoverage(List<CheckpointTensor> tensors) throws BadFileException {
    List<CheckpointTensor> byOffset =
        tensors.stream()
            .sorted(
                Comparator.comparingLong(CheckpointTensor::offset)
                    .thenComparingLong(CheckpointTensor::byteSize))
            .toList();
    long end = dataOffset;
    for (CheckpointTensor tensor : byOffset) {
      if (tensor.offset() != end) {
        throw problem(
            tensor.name(), "begins at " + tensor.offset() + ", the one before ends at " + end);
      }
      end += tensor.byteSize();
    }
    if (end != dataOffset + dataSize) {
      throw new BadFileException(
          file, "has " + (dataOffset + dataSize - end) + " bytes of data that belong to no tensor");
    }
  }

  private BadFileException problem(String name, String text) {
    return new BadFileException(file, "the tensor " + BadFileException.quote(name) + " " + text);
  }
}
