package dev.murmuration.tensors;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** How the numbers of a checkpoint's tensor are stored, little-endian. */
public enum NumberType {
  F64(8),
  F32(4),
  F16(2),
  BF16(2),
  I64(8),
  I32(4),
  I16(2),
  I8(1),
  U64(8),
  U32(4),
  U16(2),
  U8(1),
  BOOL(1),
  F8_E4M3(1),
  F8_E5M2(1),
  F8_E8M0(1);

  private final int byteSize;

  NumberType(int byteSize) {
    this.byteSize = byteSize;
  }

  /** Bytes of one number. */
  public int byteSize() {
    return byteSize;
  }

  /** Whether weights of this type can be converted: F32, F16 and BF16. */
  public boolean isWeight() {
    return this == F32 || this == F16 || this == BF16;
  }

  /** Whether these are the eight-bit floats of a quantized checkpoint. */
  public boolean isSmallFloat() {
    return this == F8_E4M3 || this == F8_E5M2 || this == F8_E8M0;
  }

  /** Why weights of this type are refused, for a message that begins with the tensor. */
  public String refusal() {
    return isSmallFloat()
        ? "holds float8 weights ("
            + this
            + "), which are quantized; take the bf16 checkpoint of this model"
        : "holds " + this + " numbers, expected F32, F16 or BF16";
  }

  /**
   * Numbers of a type that {@link #isWeight} as floats.
   *
   * @param bytes little-endian, from the buffer's position to its limit
   */
  public float[] floats(ByteBuffer bytes) {
    ByteBuffer in = bytes.slice().order(ByteOrder.LITTLE_ENDIAN);
    float[] numbers = new float[in.remaining() / byteSize];
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] =
          switch (this) {
            case F32 -> in.getFloat();
            case F16 -> Float.float16ToFloat(in.getShort());
            case BF16 -> Float.intBitsToFloat(in.getShort() << Short.SIZE);
            default -> throw new IllegalArgumentException("no conversion from " + this);
          };
    }
    return numbers;
  }
}
