package dev.murmuration.gguf;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Parses one header. It refuses everything that {@code gguf_init_from_reader} in {@code
 * ggml/src/gguf.cpp} refuses, and also what that function accepts and later code fails on: NUL
 * characters in names, sizes that overflow, unusual alignments, nested arrays.
 */
public final class GgufReader {
  private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
  private static final int MAX_KEYS = 1 << 16;
  private static final int MAX_TENSORS = 1 << 16;
  private static final int MAX_KEY_BYTES = 65_535;

  private final Path path;
  private final HeaderBuffer in;
  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();

  private GgufReader(Path path, SeekableByteChannel channel) throws IOException {
    this.path = path;
    this.in = new HeaderBuffer(path, channel);
  }

  /**
   * Reads and checks the header of a file.
   *
   * @throws BadFileException if there is no such file or its content is not a sound GGUF file; the
   *     message says what is wrong and what to do
   * @throws IOException if reading fails
   */
  public static Gguf read(Path path) throws IOException {
    requireFile(path);
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return read(path, channel);
    }
  }

  /**
   * Reads and checks the header of a file that is already open. The path is not opened again, so a
   * file that has replaced it meanwhile is never read.
   *
   * @param path the file's name, for messages
   * @param channel the file; it stays open, and its position changes
   * @throws BadFileException if its content is not a sound GGUF file
   * @throws IOException if reading fails
   */
  public static Gguf read(Path path, SeekableByteChannel channel) throws IOException {
    return new GgufReader(path, channel).parse();
  }

  /**
   * Refuses a path that cannot be a GGUF file, such as a directory.
   *
   * @throws BadFileException if there is no regular file of this name
   */
  public static void requireFile(Path path) throws BadFileException {
    if (Files.notExists(path)) {
      throw new BadFileException(path, "there is no such file");
    }
    if (Files.isDirectory(path)) {
      throw new BadFileException(path, "this is a directory; name the .gguf file in it");
    }
    if (!Files.isRegularFile(path)) {
      throw new BadFileException(path, "this is not a regular file");
    }
  }

  private Gguf parse() throws IOException {
    byte[] head = in.head(ForeignFile.SAMPLE);
    if (!Arrays.equals(Arrays.copyOf(head, MAGIC.length), MAGIC)) {
      throw new BadFileException(path, ForeignFile.describe(head, in.fileSize()));
    }
    in.readInt("the magic number");
    int version = readVersion();
    long tensorCount = readCount("number of tensors", MAX_TENSORS, 24);
    long keyCount = readCount("number of metadata keys", MAX_KEYS, 13);
    for (long i = 0; i < keyCount; i++) {
      readKeyAndValue(i);
    }
    checkAlignment();
    Map<String, GgufTensor> tensors = new TensorListReader(in).read(tensorCount);
    long dataOffset = Gguf.align(in.position());
    checkDataIsThere(dataOffset, tensors);
    return new Gguf(path, in.fileSize(), version, dataOffset, metadata, tensors);
  }

  private int readVersion() throws IOException {
    int version = in.readInt("the version");
    if ((version & 0xFFFF) == 0 && version != 0) {
      throw in.problem(4, "this is a big-endian GGUF file; only little-endian ones can be read");
    }
    if (version == 1) {
      throw in.problem(
          4, "GGUF version 1 is no longer read by llama.cpp; convert the original model again");
    }
    if (version != 2 && version != 3) {
      throw in.problem(
          4, "GGUF version " + Integer.toUnsignedString(version) + " is unknown, expected 2 or 3");
    }
    return version;
  }

  private long readCount(String what, long max, int minBytesEach) throws IOException {
    int offset = in.position();
    long count = in.readLong("the " + what);
    if (count < 0 || count > max) {
      throw in.problem(
          offset, "the " + what + " is " + Long.toUnsignedString(count) + ", the limit is " + max);
    }
    in.requireElements(count, minBytesEach, "the " + what);
    return count;
  }

  private void readKeyAndValue(long index) throws IOException {
    int offset = in.position();
    String key = in.readString(MAX_KEY_BYTES, "the name of metadata key " + index);
    in.requireName(key, offset, "the metadata key");
    GgufValue value = readValue(key);
    if (metadata.putIfAbsent(key, value) != null) {
      throw in.problem(
          offset, "the metadata key " + BadFileException.quote(key) + " appears twice");
    }
  }

  private GgufValue readValue(String key) throws IOException {
    GgufValueType type = readValueType(key);
    return switch (type) {
      case STRING -> new GgufValue.Str(in.readString(HeaderBuffer.LIMIT, "the value of " + key));
      case ARRAY -> readArray(key);
      default -> scalar(key, type);
    };
  }

  private GgufValueType readValueType(String key) throws IOException {
    int offset = in.position();
    int id = in.readInt("the type of " + key);
    return GgufValueType.ofId(id)
        .orElseThrow(
            () ->
                in.problem(
                    offset,
                    key
                        + " has the value type "
                        + id
                        + ", expected 0 to 12; the file is"
                        + " damaged"));
  }

  private GgufValue scalar(String key, GgufValueType type) throws IOException {
    int offset = in.position();
    byte[] raw = in.readBytes(type.byteSize(), "the value of " + key);
    long bits = ByteBuffer.wrap(Arrays.copyOf(raw, 8)).order(ByteOrder.LITTLE_ENDIAN).getLong();
    return switch (type) {
      case INT8 -> new GgufValue.Whole(type, (byte) bits);
      case INT16 -> new GgufValue.Whole(type, (short) bits);
      case INT32 -> new GgufValue.Whole(type, (int) bits);
      case UINT8, UINT16, UINT32, UINT64, INT64 -> new GgufValue.Whole(type, bits);
      case FLOAT32 -> new GgufValue.Float32(Float.intBitsToFloat((int) bits));
      case FLOAT64 -> new GgufValue.Float64(Double.longBitsToDouble(bits));
      case BOOL -> new GgufValue.Bool(readBool(key, offset, bits));
      case STRING, ARRAY -> throw new IllegalStateException(type + " is not a scalar");
    };
  }

  private boolean readBool(String key, int offset, long bits) throws BadFileException {
    if (bits > 1) {
      throw in.problem(
          offset,
          key + " is a bool with the value " + bits + ", expected 0 or 1; the file is damaged");
    }
    return bits == 1;
  }

  private GgufArray readArray(String key) throws IOException {
    int offset = in.position();
    GgufValueType type = readValueType(key);
    if (type == GgufValueType.ARRAY) {
      throw in.problem(offset, key + " is an array of arrays, which llama.cpp does not read");
    }
    long count = in.readLong("the length of " + key);
    if (type == GgufValueType.STRING) {
      byte[] encoded = in.readEncodedStrings(count, key);
      return new GgufArray(type, (int) count, encoded);
    }
    in.requireElements(count, type.byteSize(), key);
    byte[] encoded = in.readBytes(count * type.byteSize(), key);
    return new GgufArray(type, (int) count, encoded);
  }

  private void checkAlignment() throws BadFileException {
    GgufValue value = metadata.get("general.alignment");
    if (value != null && !value.equals(GgufValue.uint32(Gguf.ALIGNMENT))) {
      String found =
          value instanceof GgufValue.Whole w ? w.type() + " " + w.value() : value.describe();
      throw new BadFileException(
          path,
          "general.alignment is "
              + found
              + ", only uint32 "
              + Gguf.ALIGNMENT
              + " is supported;"
              + " convert the model again with llama.cpp's converter");
    }
  }

  private void checkDataIsThere(long dataOffset, Map<String, GgufTensor> tensors)
      throws BadFileException {
    long end = 0;
    for (GgufTensor tensor : tensors.values()) {
      end = dataOffset + tensor.offset() + tensor.byteSize();
    }
    if (end > in.fileSize()) {
      throw in.problem(
          in.fileSize(),
          "the file is incomplete: its tensors end at byte "
              + end
              + ", but it has only "
              + in.fileSize()
              + " bytes; download it again");
    }
  }
}
