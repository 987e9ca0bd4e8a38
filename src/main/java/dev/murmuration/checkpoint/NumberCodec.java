package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufTensorType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * Turns numbers of one type into another, as llama.cpp's converter rounds them ({@code
 * gguf-py/gguf/quants.py}, {@code ggml/src/ggml-quants.c}). Loops are plain and over arrays, so
 * that the JIT turns them into vector code. For one thread: it keeps its scratch arrays.
 */
final class NumberCodec {
  static final int Q8_BLOCK = 32;
  private static final int Q8_BYTES = 34;

  /**
   * Half the way from F16's greatest number to the next step: from here on it rounds to infinity.
   */
  private static final float F16_OVERFLOW = 65520f;

  private static final int BF16_NAN = 0x7f800000;

  private float[] floats = new float[0];
  private short[] shorts = new short[0];
  private byte[] bytes = new byte[0];

  /** Whether numbers of these types are the same bytes. */
  static boolean isCopy(NumberType from, GgufTensorType to) {
    return from.name().equals(to.name());
  }

  /**
   * Converts all of {@code in} into {@code out}, which then lies ready to be read.
   *
   * @return false if a finite number is too large for the new type
   */
  boolean convert(NumberType from, ByteBuffer in, GgufTensorType to, ByteBuffer out) {
    int count = in.remaining() / from.byteSize();
    out.clear();
    if (isCopy(from, to)) {
      out.put(in).flip();
      return true;
    }
    decode(from, in.order(ByteOrder.LITTLE_ENDIAN), count);
    boolean fits = fits(to, count);
    encode(to, count, out.order(ByteOrder.LITTLE_ENDIAN));
    return fits;
  }

  /** Numbers as floats. */
  float[] floats(NumberType from, ByteBuffer in) {
    int count = in.remaining() / from.byteSize();
    decode(from, in.order(ByteOrder.LITTLE_ENDIAN), count);
    return Arrays.copyOf(floats, count);
  }

  private void decode(NumberType from, ByteBuffer in, int count) {
    if (floats.length < count) {
      floats = new float[count];
    }
    if (from == NumberType.F32) {
      in.asFloatBuffer().get(floats, 0, count);
      return;
    }
    reserveShorts(count);
    in.asShortBuffer().get(shorts, 0, count);
    if (from == NumberType.F16) {
      halfToFloat(shorts, floats, count);
    } else {
      brainToFloat(shorts, floats, count);
    }
  }

  private void reserveShorts(int count) {
    if (shorts.length < count) {
      shorts = new short[count];
    }
  }

  private void encode(GgufTensorType to, int count, ByteBuffer out) {
    switch (to) {
      case F32 -> {
        out.asFloatBuffer().put(floats, 0, count);
        out.limit(count * Float.BYTES);
      }
      case F16, BF16 -> {
        reserveShorts(count);
        if (to == GgufTensorType.F16) {
          floatToHalf(floats, shorts, count);
        } else {
          floatToBrain(floats, shorts, count);
        }
        out.asShortBuffer().put(shorts, 0, count);
        out.limit(count * Short.BYTES);
      }
      case Q8_0 -> {
        int size = count / Q8_BLOCK * Q8_BYTES;
        if (bytes.length < size) {
          bytes = new byte[size];
        }
        quantize(floats, bytes, count);
        out.put(bytes, 0, size).flip();
      }
      default -> throw new IllegalArgumentException("no conversion to " + to);
    }
  }

  private boolean fits(GgufTensorType to, int count) {
    float limit =
        switch (to) {
          case F16 -> F16_OVERFLOW;
          case Q8_0 -> F16_OVERFLOW * Byte.MAX_VALUE; // The scale of a block is an F16.
          default -> Float.POSITIVE_INFINITY;
        };
    if (limit == Float.POSITIVE_INFINITY) {
      return true;
    }
    float greatest = greatest(floats, 0, count);
    return greatest < limit || !Float.isFinite(greatest);
  }

  private static float greatest(float[] from, int start, int count) {
    float greatest = 0;
    for (int i = start; i < start + count; i++) {
      greatest = Math.max(greatest, Math.abs(from[i]));
    }
    return greatest;
  }

  private static void halfToFloat(short[] from, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = Float.float16ToFloat(from[i]);
    }
  }

  private static void brainToFloat(short[] from, float[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = Float.intBitsToFloat(from[i] << Short.SIZE);
    }
  }

  private static void floatToHalf(float[] from, short[] to, int count) {
    for (int i = 0; i < count; i++) {
      to[i] = Float.floatToFloat16(from[i]);
    }
  }

  /** Rounds to nearest, ties to even; a NaN stays one by keeping its highest bit set. */
  private static void floatToBrain(float[] from, short[] to, int count) {
    for (int i = 0; i < count; i++) {
      int bits = Float.floatToRawIntBits(from[i]);
      int rounded = bits + 0x7fff + ((bits >>> Short.SIZE) & 1);
      int result = (bits & Integer.MAX_VALUE) > BF16_NAN ? bits | (0x40 << Short.SIZE) : rounded;
      to[i] = (short) (result >>> Short.SIZE);
    }
  }

  /** {@code quantize_row_q8_0_ref}: 32 numbers become an F16 scale and 32 bytes. */
  private static void quantize(float[] from, byte[] to, int count) {
    int at = 0;
    for (int start = 0; start < count; start += Q8_BLOCK) {
      float scale = greatest(from, start, Q8_BLOCK) / Byte.MAX_VALUE;
      float inverse = scale != 0 ? 1.0f / scale : 0.0f;
      short half = Float.floatToFloat16(scale);
      to[at] = (byte) half;
      to[at + 1] = (byte) (half >>> Byte.SIZE);
      round(from, start, inverse, to, at + 2);
      at += Q8_BYTES;
    }
  }

  /** C's {@code roundf}: halves away from zero. What is cut off by (int) is exact in a float. */
  private static void round(float[] from, int start, float inverse, byte[] to, int at) {
    for (int i = 0; i < Q8_BLOCK; i++) {
      float scaled = from[start + i] * inverse;
      int whole = (int) scaled;
      int twice = (int) ((scaled - whole) * 2);
      to[at + i] = (byte) (whole + twice);
    }
  }
}
