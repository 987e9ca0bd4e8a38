package dev.murmuration.gguf;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.StandardOpenOption;
import java.util.Optional;
import java.util.function.DoubleConsumer;

/**
 * Looks for weights that are not finite numbers: it checks every number of a plain tensor and every
 * scale of a quantized one, as {@code ggml_validate_row_data} in {@code ggml/src/ggml-quants.c}
 * does.
 */
public final class WeightScan {
  private static final int BUFFER = 1 << 20;

  /**
   * Where a block has its floating-point numbers. Such a number is NaN or infinite if all bits of
   * its exponent are set.
   *
   * @param width bytes of a number
   * @param exponent the bits of its exponent
   * @param first where the first number begins
   * @param count how many there are, side by side
   */
  private record Layout(int width, long exponent, int first, int count) {
    static Layout half(int first, int count) {
      return new Layout(Short.BYTES, 0x7c00, first, count);
    }
  }

  private WeightScan() {}

  /**
   * Reads all tensors of a file and says which is the first with a number that is not finite; empty
   * if there is none.
   *
   * @param progress told which share of the bytes has been read, 0 to 1
   * @throws IOException if reading fails
   */
  public static Optional<String> problem(Gguf gguf, DoubleConsumer progress) throws IOException {
    ByteBuffer buffer = ByteBuffer.allocate(BUFFER).order(ByteOrder.LITTLE_ENDIAN);
    try (FileChannel channel = FileChannel.open(gguf.path(), StandardOpenOption.READ)) {
      for (GgufTensor tensor : gguf.tensors()) {
        long begin = gguf.dataOffset() + tensor.offset();
        Layout layout = layout(tensor.type());
        int block = tensor.type().bytesPerBlock();
        int whole = BUFFER / block * block;
        for (long done = 0; layout != null && done < tensor.byteSize(); done += whole) {
          buffer.clear().limit((int) Math.min(whole, tensor.byteSize() - done));
          fill(gguf, channel, begin + done, buffer);
          int at = find(buffer, block, layout);
          if (at >= 0) {
            return Optional.of(describe(tensor, (done + at) / block));
          }
          progress.accept((double) (begin + done) / gguf.fileSize());
        }
      }
    }
    progress.accept(1);
    return Optional.empty();
  }

  private static void fill(Gguf gguf, FileChannel channel, long from, ByteBuffer buffer)
      throws IOException {
    while (buffer.hasRemaining()) {
      if (channel.read(buffer, from + buffer.position()) < 0) {
        throw gguf.problem("it became shorter while it was read");
      }
    }
    buffer.flip();
  }

  /** Where the first number that is not finite lies, or -1. */
  private static int find(ByteBuffer buffer, int block, Layout layout) {
    for (int from = layout.first(); from < buffer.limit(); from += block) {
      for (int i = 0; i < layout.count(); i++) {
        int at = from + i * layout.width();
        long bits =
            switch (layout.width()) {
              case Byte.BYTES -> buffer.get(at);
              case Short.BYTES -> buffer.getShort(at);
              case Integer.BYTES -> buffer.getInt(at);
              default -> buffer.getLong(at);
            };
        if ((bits & layout.exponent()) == layout.exponent()) {
          return at;
        }
      }
    }
    return -1;
  }

  private static String describe(GgufTensor tensor, long block) {
    long number = block * tensor.type().blockSize();
    return "the tensor "
        + BadFileException.quote(tensor.name())
        + " holds NaN or an infinity ("
        + (tensor.type().blockSize() == 1
            ? "number " + number
            : "the scale of numbers " + number + " and following")
        + "); download or convert the model again";
  }

  /**
   * The layouts of {@code ggml/src/ggml-common.h}; null for types without floating-point numbers,
   * which cannot hold NaN or an infinity.
   */
  private static Layout layout(GgufTensorType type) {
    return switch (type) {
      case F16, Q4_0, Q5_0, Q8_0, Q1_0, Q2_0 -> Layout.half(0, 1);
      case IQ1_S, IQ2_XXS, IQ2_XS, IQ2_S, IQ3_XXS, IQ3_S, IQ4_NL, IQ4_XS -> Layout.half(0, 1);
      case Q4_1, Q5_1, Q8_1, Q4_K, Q5_K -> Layout.half(0, 2);
      case Q2_K -> Layout.half(80, 2);
      case Q3_K -> Layout.half(108, 1);
      case Q6_K -> Layout.half(208, 1);
      case TQ1_0 -> Layout.half(52, 1);
      case TQ2_0 -> Layout.half(64, 1);
      case BF16 -> new Layout(Short.BYTES, 0x7f80, 0, 1);
      case F32, Q8_K -> new Layout(Integer.BYTES, 0x7f80_0000, 0, 1);
      case F64 -> new Layout(Long.BYTES, 0x7ff0_0000_0000_0000L, 0, 1);
      case MXFP4 -> new Layout(Byte.BYTES, 0xff, 0, 1);
      // One float16 is split over the upper four bits of four shorts; the last two hold its
      // exponent.
      case IQ1_M -> new Layout(Integer.BYTES, 0x7000_c000, 52, 1);
      case I8, I16, I32, I64, NVFP4 -> null;
    };
  }
}
