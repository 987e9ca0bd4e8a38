package dev.murmuration.gguf;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.Charset;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * An array of metadata values of one type, kept in the encoding of the file: a vocabulary of 32,000
 * texts costs one copy of its bytes, and is decoded only when it is asked for. Immutable.
 */
public final class GgufArray implements GgufValue {
  private final GgufValueType elementType;
  private final int size;
  private final byte[] encoded;

  /** Takes over {@code encoded}, which must hold exactly {@code size} well-formed elements. */
  GgufArray(GgufValueType elementType, int size, byte[] encoded) {
    this.elementType = elementType;
    this.size = size;
    this.encoded = encoded;
  }

  static GgufArray of(float[] values) {
    byte[] encoded = new byte[Math.multiplyExact(values.length, Float.BYTES)];
    littleEndian(encoded).asFloatBuffer().put(values);
    return new GgufArray(GgufValueType.FLOAT32, values.length, encoded);
  }

  static GgufArray of(int[] values) {
    byte[] encoded = new byte[Math.multiplyExact(values.length, Integer.BYTES)];
    littleEndian(encoded).asIntBuffer().put(values);
    return new GgufArray(GgufValueType.INT32, values.length, encoded);
  }

  static GgufArray of(List<String> values) {
    List<byte[]> texts = values.stream().map(s -> s.getBytes(StandardCharsets.UTF_8)).toList();
    long bytes = texts.stream().mapToLong(text -> Long.BYTES + text.length).sum();
    byte[] encoded = new byte[Math.toIntExact(bytes)];
    ByteBuffer out = littleEndian(encoded);
    texts.forEach(text -> out.putLong(text.length).put(text));
    return new GgufArray(GgufValueType.STRING, values.size(), encoded);
  }

  @Override
  public GgufValueType type() {
    return GgufValueType.ARRAY;
  }

  /** The type of every element; never {@link GgufValueType#ARRAY}. */
  public GgufValueType elementType() {
    return elementType;
  }

  /** The number of elements. */
  public int size() {
    return size;
  }

  @Override
  public String describe() {
    return "array of " + size + " " + elementType;
  }

  /**
   * The elements of an array of {@link GgufValueType#FLOAT32}.
   *
   * @throws IllegalStateException if the elements have another type
   */
  public float[] floats() {
    expect(GgufValueType.FLOAT32);
    float[] values = new float[size];
    littleEndian(encoded).asFloatBuffer().get(values);
    return values;
  }

  /**
   * The elements of an array of {@link GgufValueType#INT32}.
   *
   * @throws IllegalStateException if the elements have another type
   */
  public int[] ints() {
    expect(GgufValueType.INT32);
    int[] values = new int[size];
    littleEndian(encoded).asIntBuffer().get(values);
    return values;
  }

  /**
   * The elements of an array of {@link GgufValueType#STRING}, as an unmodifiable list. Bytes that
   * are not UTF-8 become U+FFFD.
   *
   * @throws IllegalStateException if the elements have another type
   */
  public List<String> strings() {
    return List.copyOf(decode(StandardCharsets.UTF_8));
  }

  /**
   * The texts with one char for each byte, as in ISO 8859-1. Unlike {@link #strings()} this maps
   * different bytes to different texts; it is also faster.
   */
  public List<String> byteStrings() {
    return decode(StandardCharsets.ISO_8859_1);
  }

  /** The elements as they stand in a file, read-only. */
  ByteBuffer encoded() {
    return ByteBuffer.wrap(encoded).asReadOnlyBuffer();
  }

  private List<String> decode(Charset charset) {
    expect(GgufValueType.STRING);
    List<String> values = new ArrayList<>(size);
    ByteBuffer in = littleEndian(encoded);
    while (in.hasRemaining()) {
      int length = (int) in.getLong();
      values.add(new String(encoded, in.position(), length, charset));
      in.position(in.position() + length);
    }
    return values;
  }

  private void expect(GgufValueType expected) {
    if (elementType != expected) {
      throw new IllegalStateException("this is an " + describe() + ", not of " + expected);
    }
  }

  private static ByteBuffer littleEndian(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof GgufArray that
        && elementType == that.elementType
        && size == that.size
        && Arrays.equals(encoded, that.encoded);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(encoded) * 31 + elementType.hashCode();
  }

  @Override
  public String toString() {
    return describe();
  }
}
