package dev.murmuration.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Writes a GGUF file of version 3: little-endian, tensor data aligned to 32 bytes. Metadata and
 * tensors keep the order in which they were added. Tensor data is streamed and never held in
 * memory. For one thread.
 *
 * <p>Nothing is checked against the rules of llama.cpp; {@link GgufReader#read} checks the
 * container, and the room {@code model} checks the model in it.
 */
public final class GgufWriter {
  private static final int VERSION = 3;

  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, NewTensor> tensors = new LinkedHashMap<>();

  /** Supplies the bytes of one tensor. */
  @FunctionalInterface
  public interface TensorData {
    /**
     * Writes exactly as many bytes as the tensor's type and dimensions ask for, in pieces of any
     * size.
     *
     * @throws IOException if the bytes cannot be read or written
     */
    void writeTo(WritableByteChannel out) throws IOException;
  }

  private record NewTensor(String name, GgufTensorType type, List<Long> dims, TensorData data) {
    long byteSize() {
      return type.byteSize(dims.stream().reduce(1L, Math::multiplyExact));
    }
  }

  /** A writer of a file that has neither metadata nor tensors yet. */
  public GgufWriter() {}

  /**
   * A writer with the metadata and tensors of {@code source}. Tensor data is read from its file
   * while writing, so that file must exist until then.
   */
  public static GgufWriter copyOf(Gguf source) {
    GgufWriter writer = new GgufWriter();
    source.metadata().forEach(writer::metadata);
    for (GgufTensor tensor : source.tensors()) {
      writer.tensor(
          tensor.name(), tensor.type(), tensor.dims(), out -> copyData(source, tensor, out));
    }
    return writer;
  }

  /** Sets a metadata value; a key that is already there keeps its place. */
  public GgufWriter metadata(String key, GgufValue value) {
    metadata.put(key, value);
    return this;
  }

  /** The metadata so far, in the order in which it is written; a copy. */
  public Map<String, GgufValue> metadata() {
    return new LinkedHashMap<>(metadata);
  }

  /**
   * What a file would say that held this metadata, and no tensors.
   *
   * @param path what messages call it
   */
  public Gguf header(Path path) {
    return new Gguf(path, 0, VERSION, 0, metadata, Map.of());
  }

  /** Removes a metadata value, if it is there. */
  public GgufWriter removeMetadata(String key) {
    metadata.remove(key);
    return this;
  }

  /**
   * Adds a tensor; one of the same name is replaced and keeps its place.
   *
   * @param dims lengths in ggml's order, the length of a row first
   * @throws IllegalArgumentException if a row is not a whole number of the type's blocks
   */
  public GgufWriter tensor(String name, GgufTensorType type, List<Long> dims, TensorData data) {
    if (dims.isEmpty() || dims.getFirst() % type.blockSize() != 0) {
      throw new IllegalArgumentException(
          name + " " + dims + ": rows of " + type + " are a multiple of " + type.blockSize());
    }
    tensors.put(name, new NewTensor(name, type, List.copyOf(dims), data));
    return this;
  }

  /** Removes a tensor, if it is there. */
  public GgufWriter removeTensor(String name) {
    tensors.remove(name);
    return this;
  }

  /**
   * Writes the file. It appears under its name only when it is complete; an existing file is
   * replaced.
   *
   * @throws IOException if writing fails or a tensor's data has not the right size
   */
  public void write(Path target) throws IOException {
    Path directory = target.toAbsolutePath().getParent();
    Path part = Files.createTempFile(directory, target.getFileName().toString(), ".part");
    try {
      try (FileChannel out = FileChannel.open(part, StandardOpenOption.WRITE)) {
        writeTo(out);
      }
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(part);
    }
  }

  /**
   * Writes the file into an empty channel, which stays open: for callers that create and rename the
   * file themselves.
   *
   * @throws IOException if writing fails or a tensor's data has not the right size
   */
  public void writeTo(FileChannel out) throws IOException {
    HeaderEncoder header = new HeaderEncoder();
    header.bytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    header.uint32(VERSION).uint64(tensors.size()).uint64(metadata.size());
    metadata.forEach((key, value) -> header.string(key).value(value));
    long offset = 0;
    for (NewTensor tensor : tensors.values()) {
      header.string(tensor.name()).uint32(tensor.dims().size());
      tensor.dims().forEach(header::uint64);
      header.uint32(tensor.type().id()).uint64(offset);
      offset += tensor.byteSize() + padding(tensor.byteSize());
    }
    writeFully(out, header.toBuffer());
    pad(out);
    for (NewTensor tensor : tensors.values()) {
      writeData(out, tensor);
      pad(out);
    }
  }

  private static void writeData(FileChannel out, NewTensor tensor) throws IOException {
    long start = out.position();
    tensor.data().writeTo(out);
    long written = out.position() - start;
    if (written != tensor.byteSize()) {
      throw new IOException(
          tensor.name()
              + ": "
              + written
              + " bytes of data were written, "
              + tensor.type()
              + " "
              + tensor.dims()
              + " has "
              + tensor.byteSize());
    }
  }

  private static void copyData(Gguf source, GgufTensor tensor, WritableByteChannel out)
      throws IOException {
    try (FileChannel in = FileChannel.open(source.path(), StandardOpenOption.READ)) {
      long position = source.dataOffset() + tensor.offset();
      long end = position + tensor.byteSize();
      while (position < end) {
        long count = in.transferTo(position, end - position, out);
        if (count <= 0) {
          throw new IOException(source.path() + ": the file became shorter while it was copied");
        }
        position += count;
      }
    }
  }

  private static void pad(FileChannel out) throws IOException {
    writeFully(out, ByteBuffer.allocate(padding(out.position())));
  }

  private static int padding(long size) {
    return (int) Math.floorMod(-size, (long) Gguf.ALIGNMENT);
  }

  private static void writeFully(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  /** Collects the header in memory. It has some megabytes, most of which are the vocabulary. */
  private static final class HeaderEncoder {
    private ByteBuffer out = ByteBuffer.allocate(1 << 16).order(ByteOrder.LITTLE_ENDIAN);

    HeaderEncoder uint32(int value) {
      room(Integer.BYTES).putInt(value);
      return this;
    }

    HeaderEncoder uint64(long value) {
      room(Long.BYTES).putLong(value);
      return this;
    }

    HeaderEncoder bytes(byte[] bytes) {
      room(bytes.length).put(bytes);
      return this;
    }

    HeaderEncoder string(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      return uint64(utf8.length).bytes(utf8);
    }

    void value(GgufValue value) {
      uint32(value.type().id());
      switch (value) {
        case GgufValue.Whole whole -> whole(whole);
        case GgufValue.Float32(float number) -> room(Float.BYTES).putFloat(number);
        case GgufValue.Float64(double number) -> room(Double.BYTES).putDouble(number);
        case GgufValue.Bool(boolean flag) -> room(1).put((byte) (flag ? 1 : 0));
        case GgufValue.Str(String text) -> string(text);
        case GgufArray array -> array(array);
      }
    }

    private void whole(GgufValue.Whole whole) {
      ByteBuffer room = room(Long.BYTES);
      int start = room.position();
      room.putLong(whole.value()).position(start + whole.type().byteSize());
    }

    private void array(GgufArray array) {
      ByteBuffer elements = array.encoded();
      uint32(array.elementType().id()).uint64(array.size());
      room(elements.remaining()).put(elements);
    }

    ByteBuffer toBuffer() {
      return out.duplicate().flip();
    }

    private ByteBuffer room(int bytes) {
      if (out.remaining() < bytes) {
        int capacity = Math.max(Math.multiplyExact(out.capacity(), 2), out.position() + bytes);
        ByteBuffer larger = ByteBuffer.allocate(capacity).order(ByteOrder.LITTLE_ENDIAN);
        out = larger.put(out.flip());
      }
      return out;
    }
  }
}
