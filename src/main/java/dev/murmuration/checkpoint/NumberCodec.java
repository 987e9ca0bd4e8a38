package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.NumberType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Turns numbers of one type into another, as llama.cpp's converter rounds them ({@code
 * gguf-py/gguf/quants.py}, {@code ggml/src/ggml-quants.c}). Loops are plain and over arrays, so
 * that the JIT turns them into vector code. For one thread: it keeps its scratch arrays.
 */
final class NumberCodec {
  static final int Q8_BLOCK = 32;
  private static final int Q8_BYTES = 34;

  /**
   * From this number on, rounding to F16 gives infinity: it lies halfway between the largest F16
   * and the next step.
   */
  private static final float F16_OVERFLOW = 65520f;

  private static final float BELOW_HALF = Math.nextDown(0.5f);
  private static final int BF16_NAN = 0x7f800000;

  /**
   * How many numbers are converted at once: a multiple of every block size, and few enough for the
   * scratch arrays to stay in a core's cache.
   */
  private static final int TILE = 4096;

  private final float[] floats = new float[TILE];
  private final short[] shorts = new short[TILE];
  private final byte[] bytes = new byte[TILE / Q8_BLOCK * Q8_BYTES];

  /** Whether numbers of these types are the same bytes. */
  static boolean isCopy(NumberType from, GgufTensorType to) {
    return from.name().equals(to.name());
  }

  /**
   * Converts all of {@code in} into {@code out}, which then lies ready to be read.
   *
   * @param added to every number, in float32; 0 changes nothing
   * @return false if a finite number is too large for the new type
   */
  boolean convert(NumberType from, ByteBuffer in, float added, GgufTensorType to, ByteBuffer out) {
    int count = in.remaining() / from.byteSize();
    out.clear().limit(Math.toIntExact(to.byteSize(count)));
    boolean fits = true;
    for (int at = 0; at < count; at += TILE) {
      int size = Math.min(TILE, count - at);
      decode(from, slice(in, at * from.byteSize(), size * from.byteSize()), size);
      add(added, size);
      fits &= fits(to, size);
      encode(to, size, slice(out, (int) to.byteSize(at), (int) to.byteSize(size)));
    }
    return fits;
  }

  private void add(float added, int count) {
    // Not for 0: it would turn -0 into 0.
    if (added != 0) {
      for (int i = 0; i < count; i++) {
        floats[i] += added;
      }
    }
  }

  private static ByteBuffer slice(ByteBuffer buffer, int at, int bytes) {
    return buffer.slice(buffer.position() + at, bytes).order(ByteOrder.LITTLE_ENDIAN);
  }

  private void decode(NumberType from, ByteBuffer in, int count) {
    if (from == NumberType.F32) {
      in.asFloatBuffer().get(floats, 0, count);
      return;
    }
    in.asShortBuffer().get(shorts, 0, count);
    if (from == NumberType.F16) {
      halfToFloat(shorts, floats, count);
    } else {
      brainToFloat(shorts, floats, count);
    }
  }

  private void encode(GgufTensorType to, int count, ByteBuffer out) {
    switch (to) {
      case F32 -> out.asFloatBuffer().put(floats, 0, count);
      case F16 -> {
        floatToHalf(floats, shorts, count);
        out.asShortBuffer().put(shorts, 0, count);
      }
      case BF16 -> {
        floatToBrain(floats, shorts, count);
        out.asShortBuffer().put(shorts, 0, count);
      }
      case Q8_0 -> {
        quantize(floats, bytes, count);
        out.put(bytes, 0, count / Q8_BLOCK * Q8_BYTES);
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

  /**
   * The largest magnitude, found by comparing bits: without their sign, floats are ordered as their
   * bits are.
   */
  private static float greatest(float[] from, int start, int count) {
    int greatest = 0;
    for (int i = start; i < start + count; i++) {
      greatest = Math.max(greatest, Float.floatToRawIntBits(from[i]) & Integer.MAX_VALUE);
    }
    return Float.intBitsToFloat(greatest);
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

  /**
   * C's {@code roundf}, which rounds halves away from zero. It adds the largest float below 0.5 and
   * truncates: from a fraction of 0.5 on, the rounded sum reaches the next whole number. Adding 0.5
   * itself would round some smaller fractions up.
   */
  private static void round(float[] from, int start, float inverse, byte[] to, int at) {
    for (int i = 0; i < Q8_BLOCK; i++) {
      float scaled = from[start + i] * inverse;
      to[at + i] = (byte) (int) (scaled + Math.copySign(BELOW_HALF, scaled));
    }
  }
}
