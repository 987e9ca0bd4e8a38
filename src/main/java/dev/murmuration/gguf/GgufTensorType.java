package dev.murmuration.gguf;

import java.util.Optional;

/**
 * How the numbers of a tensor are stored ({@code ggml_type} in {@code ggml/include/ggml.h}; sizes
 * from {@code ggml/src/ggml-common.h}). Numbers are grouped in blocks along a row. Ids that ggml
 * has withdrawn are not listed and so are refused.
 */
public enum GgufTensorType {
  F32(0, 1, 4),
  F16(1, 1, 2),
  Q4_0(2, 32, 18),
  Q4_1(3, 32, 20),
  Q5_0(6, 32, 22),
  Q5_1(7, 32, 24),
  Q8_0(8, 32, 34),
  Q8_1(9, 32, 36),
  Q2_K(10, 256, 84),
  Q3_K(11, 256, 110),
  Q4_K(12, 256, 144),
  Q5_K(13, 256, 176),
  Q6_K(14, 256, 210),
  Q8_K(15, 256, 292),
  IQ2_XXS(16, 256, 66),
  IQ2_XS(17, 256, 74),
  IQ3_XXS(18, 256, 98),
  IQ1_S(19, 256, 50),
  IQ4_NL(20, 32, 18),
  IQ3_S(21, 256, 110),
  IQ2_S(22, 256, 82),
  IQ4_XS(23, 256, 136),
  I8(24, 1, 1),
  I16(25, 1, 2),
  I32(26, 1, 4),
  I64(27, 1, 8),
  F64(28, 1, 8),
  IQ1_M(29, 256, 56),
  BF16(30, 1, 2),
  TQ1_0(34, 256, 54),
  TQ2_0(35, 256, 66),
  MXFP4(39, 32, 17),
  NVFP4(40, 64, 36),
  Q1_0(41, 128, 18),
  Q2_0(42, 64, 18);

  private static final GgufTensorType[] BY_ID = new GgufTensorType[43];

  static {
    for (GgufTensorType type : values()) {
      BY_ID[type.id] = type;
    }
  }

  private final int id;
  private final int blockSize;
  private final int bytesPerBlock;

  GgufTensorType(int id, int blockSize, int bytesPerBlock) {
    this.id = id;
    this.blockSize = blockSize;
    this.bytesPerBlock = bytesPerBlock;
  }

  /** The number that stands for this type in a file. */
  public int id() {
    return id;
  }

  /** Numbers in one block; the length of a row is a multiple of it. */
  public int blockSize() {
    return blockSize;
  }

  /** Bytes of one block. */
  public int bytesPerBlock() {
    return bytesPerBlock;
  }

  /**
   * Bytes of a tensor.
   *
   * @param elements the number of elements, a multiple of {@link #blockSize()}
   */
  public long byteSize(long elements) {
    return Math.multiplyExact(elements / blockSize, (long) bytesPerBlock);
  }

  /** The type with this id; empty if ggml has none or has withdrawn it. */
  public static Optional<GgufTensorType> ofId(int id) {
    return id >= 0 && id < BY_ID.length ? Optional.ofNullable(BY_ID[id]) : Optional.empty();
  }
}
