package dev.murmuration.checkpoint;

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
  U8(1),
  BOOL(1);

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
}
