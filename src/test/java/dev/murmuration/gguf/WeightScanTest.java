package dev.murmuration.gguf;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** That weights which are no finite number are found, in every type and wherever they are. */
@Tag("unit")
class WeightScanTest {
  /** In these all bits stand for a finite number. */
  private static final Set<GgufTensorType> ALWAYS_FINITE =
      EnumSet.of(
          GgufTensorType.I8,
          GgufTensorType.I16,
          GgufTensorType.I32,
          GgufTensorType.I64,
          GgufTensorType.NVFP4);

  private static final int ROW = 256;
  private static final int ROWS = 9000;

  @TempDir Path directory;

  /** A file of two tensors, the second of these bytes. */
  private Gguf write(GgufTensorType type, byte[] bytes) throws IOException {
    GgufWriter writer = new GgufWriter().metadata("general.architecture", GgufValue.text("llama"));
    CraftedModel.tensor(writer, "first", GgufTensorType.F32, 3L);
    writer.tensor(
        "second", type, List.of((long) ROW, (long) ROWS), out -> out.write(ByteBuffer.wrap(bytes)));
    return CraftedModel.read(writer, directory);
  }

  @ParameterizedTest
  @EnumSource
  void theLastBlockOfEveryTypeIsLookedAt(GgufTensorType type) throws Exception {
    byte[] bytes = new byte[Math.toIntExact(type.byteSize((long) ROW * ROWS))];
    assertThat(WeightScan.problem(write(type, bytes), share -> {})).isEmpty();
    Arrays.fill(bytes, bytes.length - type.bytesPerBlock(), bytes.length, (byte) 0xff);
    var problem = WeightScan.problem(write(type, bytes), share -> {});
    if (ALWAYS_FINITE.contains(type)) {
      assertThat(problem).isEmpty();
    } else {
      assertThat(problem)
          .hasValueSatisfying(
              text ->
                  assertThat(text)
                      .startsWith("the tensor \"second\" holds NaN or an infinity")
                      .contains(" " + (ROW * ROWS - type.blockSize())));
    }
  }

  @Test
  void greatNumbersAreNoInfinities() throws Exception {
    ByteBuffer halves = ByteBuffer.allocate(2 * ROW * ROWS).order(ByteOrder.LITTLE_ENDIAN);
    while (halves.hasRemaining()) {
      halves.putShort(Float.floatToFloat16(halves.position() % 4 == 0 ? 65504f : -65504f));
    }
    assertThat(WeightScan.problem(write(GgufTensorType.F16, halves.array()), share -> {}))
        .isEmpty();
    halves.putShort(2 * 77, Float.floatToFloat16(Float.NEGATIVE_INFINITY));
    assertThat(WeightScan.problem(write(GgufTensorType.F16, halves.array()), share -> {}))
        .hasValueSatisfying(text -> assertThat(text).contains("(number 77)"));
    ByteBuffer floats = ByteBuffer.allocate(4 * ROW * ROWS).order(ByteOrder.LITTLE_ENDIAN);
    while (floats.hasRemaining()) {
      floats.putFloat(floats.position() % 8 == 0 ? Float.MAX_VALUE : -Float.MIN_VALUE);
    }
    assertThat(WeightScan.problem(write(GgufTensorType.F32, floats.array()), share -> {}))
        .isEmpty();
    floats.putFloat(4 * 5, Float.NaN);
    assertThat(WeightScan.problem(write(GgufTensorType.F32, floats.array()), share -> {}))
        .hasValueSatisfying(text -> assertThat(text).contains("(number 5)"));
  }
}
