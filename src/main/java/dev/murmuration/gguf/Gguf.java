package dev.murmuration.gguf;

import dev.murmuration.files.BadFileException;
import java.nio.file.Path;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The header of a GGUF file: metadata and the list of tensors. Only the header is read, never the
 * tensors' data. Immutable, so any number of threads may use it; the file is not kept open.
 *
 * <p>Every instance has been checked: the container is well-formed, and all of its tensors lie
 * within the file. It need not be a model that can be loaded.
 */
public final class Gguf {
  /** The only accepted alignment of tensor data, in bytes; also the format's default. */
  static final int ALIGNMENT = 32;

  private final Path path;
  private final long fileSize;
  private final int version;
  private final long dataOffset;
  private final Map<String, GgufValue> metadata;
  private final List<GgufTensor> tensors;
  private final Map<String, GgufTensor> tensorsByName;

  Gguf(
      Path path,
      long fileSize,
      int version,
      long dataOffset,
      Map<String, GgufValue> metadata,
      Map<String, GgufTensor> tensors) {
    this.path = path;
    this.fileSize = fileSize;
    this.version = version;
    this.dataOffset = dataOffset;
    this.metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
    this.tensors = List.copyOf(tensors.values());
    this.tensorsByName = Map.copyOf(tensors);
  }

  /** The file, as it was named by the caller. */
  public Path path() {
    return path;
  }

  /** Bytes of the whole file at the time of reading. */
  public long fileSize() {
    return fileSize;
  }

  /** The version of the format: 2 or 3. */
  public int version() {
    return version;
  }

  /**
   * The data of every tensor begins at {@link #dataOffset()} plus a multiple of this many bytes.
   */
  public int alignment() {
    return ALIGNMENT;
  }

  /** Where the tensors' data begins, in bytes from the start of the file. */
  public long dataOffset() {
    return dataOffset;
  }

  /** All metadata in the order of the file; unmodifiable. */
  public Map<String, GgufValue> metadata() {
    return metadata;
  }

  /** All tensors in the order of the file, which is also the order of their data; unmodifiable. */
  public List<GgufTensor> tensors() {
    return tensors;
  }

  /** The tensor of this name, if there is one. */
  public Optional<GgufTensor> tensor(String name) {
    return Optional.ofNullable(tensorsByName.get(name));
  }

  /**
   * The text under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public Optional<String> string(String key) throws BadFileException {
    return value(key, GgufValue.Str.class, "string").map(GgufValue.Str::value);
  }

  /**
   * The number of type {@code uint32} under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public OptionalLong unsignedInt(String key) throws BadFileException {
    Optional<GgufValue.Whole> value = value(key, GgufValue.Whole.class, "uint32");
    if (value.isEmpty()) {
      return OptionalLong.empty();
    }
    if (value.get().type() != GgufValueType.UINT32) {
      throw wrongType(key, value.get(), "uint32");
    }
    return OptionalLong.of(value.get().value());
  }

  /**
   * The number of type {@code float32} under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public Optional<Float> float32(String key) throws BadFileException {
    return value(key, GgufValue.Float32.class, "float32").map(GgufValue.Float32::value);
  }

  /**
   * The truth value under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public Optional<Boolean> bool(String key) throws BadFileException {
    return value(key, GgufValue.Bool.class, "bool").map(GgufValue.Bool::value);
  }

  /**
   * The array of {@code float32} under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public Optional<float[]> floats(String key) throws BadFileException {
    return array(key, GgufValueType.FLOAT32).map(GgufArray::floats);
  }

  /**
   * The array of {@code int32} under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public Optional<int[]> ints(String key) throws BadFileException {
    return array(key, GgufValueType.INT32).map(GgufArray::ints);
  }

  /**
   * The array of texts under a key, see {@link GgufArray#strings()}; empty if the key is absent.
   *
   * @throws BadFileException if the value has another type
   */
  public Optional<List<String>> strings(String key) throws BadFileException {
    return array(key, GgufValueType.STRING).map(GgufArray::strings);
  }

  /**
   * The array under a key; empty if the key is absent.
   *
   * @throws BadFileException if the value is no array, or of other elements
   */
  public Optional<GgufArray> array(String key, GgufValueType elementType) throws BadFileException {
    String expected = "array of " + elementType;
    Optional<GgufArray> array = value(key, GgufArray.class, expected);
    if (array.isPresent() && array.get().elementType() != elementType) {
      throw wrongType(key, array.get(), expected);
    }
    return array;
  }

  private <T extends GgufValue> Optional<T> value(String key, Class<T> kind, String expected)
      throws BadFileException {
    GgufValue value = metadata.get(key);
    if (value != null && !kind.isInstance(value)) {
      throw wrongType(key, value, expected);
    }
    return Optional.ofNullable(kind.cast(value));
  }

  public BadFileException wrongType(String key, GgufValue value, String expected) {
    return problem(
        key
            + " has the type "
            + value.describe()
            + ", expected "
            + expected
            + "; convert the model again with llama.cpp's converter");
  }

  public BadFileException problem(String text) {
    return new BadFileException(path, text);
  }

  /** The first multiple of {@link #ALIGNMENT} that is not below {@code offset}. */
  static long align(long offset) {
    return (offset + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
  }
}
