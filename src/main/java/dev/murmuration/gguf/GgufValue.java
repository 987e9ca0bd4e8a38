package dev.murmuration.gguf;

import java.util.List;

/** One metadata value: a number, a truth value, a text or an array of these. Immutable. */
public sealed interface GgufValue
    permits GgufArray,
        GgufValue.Whole,
        GgufValue.Float32,
        GgufValue.Float64,
        GgufValue.Bool,
        GgufValue.Str {

  /** The type under which the value is stored. */
  GgufValueType type();

  /** The type in words, for messages: {@code uint32}, or {@code array of 3 float32}. */
  default String describe() {
    return type().toString();
  }

  /** An unsigned 32-bit number, the type of nearly all of llama.cpp's sizes and token ids. */
  static GgufValue uint32(long value) {
    return new Whole(GgufValueType.UINT32, value);
  }

  /** A 32-bit float. */
  static GgufValue float32(float value) {
    return new Float32(value);
  }

  /** A truth value. */
  static GgufValue bool(boolean value) {
    return new Bool(value);
  }

  /** A text. */
  static GgufValue text(String value) {
    return new Str(value);
  }

  /** An array of 32-bit floats. */
  static GgufValue floats(float... values) {
    return GgufArray.of(values);
  }

  /** An array of signed 32-bit numbers. */
  static GgufValue ints(int... values) {
    return GgufArray.of(values);
  }

  /** An array of texts. */
  static GgufValue strings(List<String> values) {
    return GgufArray.of(values);
  }

  /**
   * A whole number.
   *
   * @param type one of the eight integer types
   * @param value the number; for {@link GgufValueType#UINT64} its 64 bits, so that numbers from
   *     2^63 on are negative here
   */
  record Whole(GgufValueType type, long value) implements GgufValue {
    /**
     * Checks the range.
     *
     * @throws IllegalArgumentException if the type is not an integer type or cannot hold the number
     */
    public Whole {
      boolean fits =
          switch (type) {
            case UINT8 -> value >= 0 && value <= 0xFF;
            case INT8 -> value == (byte) value;
            case UINT16 -> value >= 0 && value <= 0xFFFF;
            case INT16 -> value == (short) value;
            case UINT32 -> value >= 0 && value <= 0xFFFF_FFFFL;
            case INT32 -> value == (int) value;
            case UINT64, INT64 -> true;
            case FLOAT32, FLOAT64, BOOL, STRING, ARRAY -> false;
          };
      if (!fits) {
        throw new IllegalArgumentException(type + " cannot hold " + value);
      }
    }
  }

  /**
   * A 32-bit float.
   *
   * @param value any float
   */
  record Float32(float value) implements GgufValue {
    @Override
    public GgufValueType type() {
      return GgufValueType.FLOAT32;
    }
  }

  /**
   * A 64-bit float.
   *
   * @param value any double
   */
  record Float64(double value) implements GgufValue {
    @Override
    public GgufValueType type() {
      return GgufValueType.FLOAT64;
    }
  }

  /**
   * A truth value, stored as one byte, 0 or 1.
   *
   * @param value true or false
   */
  record Bool(boolean value) implements GgufValue {
    @Override
    public GgufValueType type() {
      return GgufValueType.BOOL;
    }
  }

  /**
   * A text, stored as UTF-8.
   *
   * @param value the text, without unpaired surrogates
   */
  record Str(String value) implements GgufValue {
    @Override
    public GgufValueType type() {
      return GgufValueType.STRING;
    }
  }
}
