package dev.murmuration.gguf;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Parses one header. It refuses everything that {@code gguf_init_from_reader} in {@code
 * ggml/src/gguf.cpp} refuses, and what that lets through but later code trips over: NUL characters
 * in names, sizes that wrap around, unusual alignments, nested arrays.
 */
final class GgufReader {
  private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
  private static final int MAX_KEYS = 1 << 16;
  private static final int MAX_TENSORS = 1 << 16;
  private static final int MAX_KEY_BYTES = 65_535;

  /** GGML_MAX_NAME is 64 and includes the NUL at the end. */
  private static final int MAX_TENSOR_NAME_BYTES = 63;

  private static final int MAX_DIMS = 4;

  /** 2^40 numbers, so that the sum of all sizes stays below 2^59 bytes and cannot wrap around. */
  private static final long MAX_ELEMENTS = 1L << 40;

  private final Path path;
  private final HeaderBuffer in;
  private final Map<String, GgufValue> metadata = new LinkedHashMap<>();
  private final Map<String, GgufTensor> tensors = new LinkedHashMap<>();

  /** Where the data of the next tensor has to begin, from the start of the data. */
  private long nextOffset;

  private GgufReader(Path path, FileChannel channel) throws IOException {
    this.path = path;
    this.in = new HeaderBuffer(path, channel);
  }

  static Gguf read(Path path) throws IOException {
    if (Files.notExists(path)) {
      throw new GgufException(path, "there is no such file");
    }
    if (Files.isDirectory(path)) {
      throw new GgufException(path, "this is a directory; name the .gguf file in it");
    }
    if (!Files.isRegularFile(path)) {
      throw new GgufException(path, "this is not a regular file");
    }
    try (FileChannel channel = FileChannel.open(path, StandardOpenOption.READ)) {
      return new GgufReader(path, channel).parse();
    }
  }

  private Gguf parse() throws IOException {
    byte[] head = in.head(ForeignFile.SAMPLE);
    if (!Arrays.equals(Arrays.copyOf(head, MAGIC.length), MAGIC)) {
      throw new GgufException(path, ForeignFile.describe(head, in.fileSize()));
    }
    in.readInt("the magic number");
    int version = readVersion();
    long tensorCount = readCount("number of tensors", MAX_TENSORS, 24);
    long keyCount = readCount("number of metadata keys", MAX_KEYS, 13);
    for (long i = 0; i < keyCount; i++) {
      readKeyAndValue(i);
    }
    checkAlignment();
    for (long i = 0; i < tensorCount; i++) {
      readTensor(i);
    }
    long dataOffset = align(in.position());
    checkDataIsThere(dataOffset);
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
    requireName(key, offset, "the metadata key");
    GgufValue value = readValue(key);
    if (metadata.putIfAbsent(key, value) != null) {
      throw in.problem(offset, "the metadata key " + GgufException.quote(key) + " appears twice");
    }
  }

  private GgufValue readValue(String key) throws IOException {
    GgufValueType type = readValueType(key);
    return switch (type) {
      case STRING -> new GgufValue.Text(in.readString(HeaderBuffer.LIMIT, "the value of " + key));
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

  private boolean readBool(String key, int offset, long bits) throws GgufException {
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

  private void checkAlignment() throws GgufException {
    GgufValue value = metadata.get("general.alignment");
    if (value != null && !value.equals(GgufValue.uint32(Gguf.ALIGNMENT))) {
      String found =
          value instanceof GgufValue.Whole w ? w.type() + " " + w.value() : value.describe();
      throw new GgufException(
          path,
          "general.alignment is "
              + found
              + ", only uint32 "
              + Gguf.ALIGNMENT
              + " is supported;"
              + " convert the model again with llama.cpp's converter");
    }
  }

  private void readTensor(long index) throws IOException {
    int offset = in.position();
    String name = in.readString(MAX_TENSOR_NAME_BYTES, "the name of tensor " + index);
    requireName(name, offset, "the tensor name");
    List<Long> dims = readDims(name);
    GgufTensorType type = readTensorType(name, dims.getFirst());
    long elements = dims.stream().reduce(1L, Math::multiplyExact);
    GgufTensor tensor = new GgufTensor(name, dims, type, readOffset(name), type.byteSize(elements));
    nextOffset = align(tensor.offset() + tensor.byteSize());
    if (tensors.putIfAbsent(name, tensor) != null) {
      throw in.problem(offset, "the tensor " + GgufException.quote(name) + " appears twice");
    }
  }

  private List<Long> readDims(String name) throws IOException {
    int offset = in.position();
    int count = in.readInt("the dimensions of " + name);
    if (count < 1 || count > MAX_DIMS) {
      throw in.problem(
          offset,
          name
              + " has "
              + Integer.toUnsignedString(count)
              + " dimensions, expected 1 to "
              + MAX_DIMS);
    }
    List<Long> dims = new ArrayList<>(count);
    long elements = 1;
    for (int i = 0; i < count; i++) {
      long dim = in.readLong("the dimensions of " + name);
      if (dim < 1 || dim > MAX_ELEMENTS / elements) {
        throw in.problem(
            offset,
            name
                + " has a dimension "
                + Long.toUnsignedString(dim)
                + ", the limit is "
                + MAX_ELEMENTS / elements
                + "; the file is damaged");
      }
      elements *= dim;
      dims.add(dim);
    }
    return dims;
  }

  private GgufTensorType readTensorType(String name, long rowLength) throws IOException {
    int offset = in.position();
    int id = in.readInt("the type of " + name);
    Optional<GgufTensorType> type = GgufTensorType.ofId(id);
    if (type.isEmpty()) {
      throw in.problem(
          offset,
          name
              + " has the tensor type "
              + Integer.toUnsignedString(id)
              + ", which is unknown or withdrawn; quantize the model again");
    }
    if (rowLength % type.get().blockSize() != 0) {
      throw in.problem(
          offset,
          name
              + " has rows of "
              + rowLength
              + " numbers, type "
              + type.get()
              + " needs a multiple of "
              + type.get().blockSize());
    }
    return type.get();
  }

  /** llama.cpp wants the tensors' data back to back, so overlaps and gaps are both refused here. */
  private long readOffset(String name) throws IOException {
    int at = in.position();
    long offset = in.readLong("the offset of " + name);
    if (offset != nextOffset) {
      throw in.problem(
          at,
          name
              + " has the data offset "
              + Long.toUnsignedString(offset)
              + ", expected "
              + nextOffset
              + " (data must neither overlap nor leave gaps); the file is damaged");
    }
    return offset;
  }

  private void checkDataIsThere(long dataOffset) throws GgufException {
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

  /** llama.cpp compares names as C strings, so a NUL would let two readers see different names. */
  private void requireName(String name, int offset, String what) throws GgufException {
    boolean printable = name.chars().allMatch(c -> c >= ' ' && c < 0x7f);
    if (name.isEmpty() || !printable) {
      throw in.problem(
          offset,
          what + " " + GgufException.quote(name) + " is not made of printable ASCII characters");
    }
  }

  private static long align(long offset) {
    return (offset + Gguf.ALIGNMENT - 1) / Gguf.ALIGNMENT * Gguf.ALIGNMENT;
  }
}
