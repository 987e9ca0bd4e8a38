package dev.murmuration.gguf;

import java.util.Locale;
import java.util.Optional;

/** The types of metadata values ({@code gguf_type} in {@code ggml/include/gguf.h}). */
public enum GgufValueType {
  UINT8(0, 1),
  INT8(1, 1),
  UINT16(2, 2),
  INT16(3, 2),
  UINT32(4, 4),
  INT32(5, 4),
  FLOAT32(6, 4),
  BOOL(7, 1),
  STRING(8, 0),
  ARRAY(9, 0),
  UINT64(10, 8),
  INT64(11, 8),
  FLOAT64(12, 8);

  /** The ids have no gaps, and the constants stand in their order. */
  private static final GgufValueType[] BY_ID = values();

  private final int id;
  private final int byteSize;

  GgufValueType(int id, int byteSize) {
    this.id = id;
    this.byteSize = byteSize;
  }

  /** The number that stands for this type in a file. */
  public int id() {
    return id;
  }

  /** Bytes of one value, or 0 for strings and arrays, whose size varies. */
  public int byteSize() {
    return byteSize;
  }

  /** The type with this id, if there is one. */
  public static Optional<GgufValueType> ofId(int id) {
    return id >= 0 && id < BY_ID.length ? Optional.of(BY_ID[id]) : Optional.empty();
  }

  /** The type's name as the format's description writes it, for instance {@code uint32}. */
  @Override
  public String toString() {
    return name().toLowerCase(Locale.ROOT);
  }
}
