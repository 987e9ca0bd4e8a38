package dev.murmuration.checkpoint;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.tensors.NumberType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Tag;
import net.jqwik.api.constraints.FloatRange;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

/** Roundings against their definitions, in arithmetic that is wide enough to be exact. */
@Tag("unit")
@org.junit.jupiter.api.Tag("unit")
class NumberCodecTest {
  private final NumberCodec codec = new NumberCodec();

  private ByteBuffer encode(GgufTensorType type, float... numbers) {
    TestTensor tensor = TestTensor.of("x", NumberType.F32, List.of((long) numbers.length), numbers);
    ByteBuffer out = ByteBuffer.allocate(numbers.length * Float.BYTES);
    codec.convert(NumberType.F32, ByteBuffer.wrap(tensor.data()), 0, type, out);
    return out.order(ByteOrder.LITTLE_ENDIAN);
  }

  @Test
  void everyHalfIsWidenedAndNarrowedToItself() {
    ByteBuffer halves = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < 1 << 16; bits++) {
      halves.putShort((short) bits);
    }
    ByteBuffer wide = ByteBuffer.allocate(1 << 18);
    codec.convert(NumberType.F16, halves.flip(), 0, GgufTensorType.F32, wide);
    ByteBuffer narrow = ByteBuffer.allocate(1 << 17);
    codec.convert(NumberType.F32, wide.duplicate(), 0, GgufTensorType.F16, narrow);
    wide.order(ByteOrder.LITTLE_ENDIAN);
    narrow.order(ByteOrder.LITTLE_ENDIAN);
    for (int bits = 0; bits < 1 << 16; bits++) {
      float number = Float.float16ToFloat((short) bits);
      if (Float.isNaN(number)) {
        assertThat(wide.getFloat(bits * 4)).isNaN();
        assertThat(Float.float16ToFloat(narrow.getShort(bits * 2))).isNaN();
      } else {
        assertThat(wide.getFloat(bits * 4)).isEqualTo(number);
        assertThat(narrow.getShort(bits * 2)).isEqualTo((short) bits);
      }
    }
  }

  @Test
  void bfloat16RoundsHalvesToEven() {
    assertThat(brain(0x3f80_8000)).isEqualTo(0x3f80);
    assertThat(brain(0x3f81_8000)).isEqualTo(0x3f82);
    assertThat(brain(0x3f80_8001)).isEqualTo(0x3f81);
    assertThat(brain(0x3f80_7fff)).isEqualTo(0x3f80);
    assertThat(brain(0xbf81_8000)).isEqualTo(0xbf82);
    assertThat(brain(0x7f7f_ffff)).isEqualTo(0x7f80);
    assertThat(brain(0x7f80_0000)).isEqualTo(0x7f80);
    assertThat(brain(0x7f80_0001)).isEqualTo(0x7fc0);
    assertThat(brain(0xffff_ffff)).isEqualTo(0xffff);
    assertThat(brain(0)).isZero();
    assertThat(brain(0x8000_0000)).isEqualTo(0x8000);
  }

  private int brain(int bits) {
    return Short.toUnsignedInt(encode(GgufTensorType.BF16, Float.intBitsToFloat(bits)).getShort(0));
  }

  @Test
  void q8RoundsHalvesAwayFromZero() {
    float[] block = new float[32];
    float[] numbers = {127, 0.5f, -0.5f, 1.5f, -2.5f, Math.nextDown(0.5f), 126.5f, -126.5f};
    System.arraycopy(numbers, 0, block, 0, numbers.length);
    ByteBuffer out = encode(GgufTensorType.Q8_0, block);
    assertThat(Float.float16ToFloat(out.getShort(0))).isEqualTo(1f);
    byte[] expected = {127, 1, -1, 2, -3, 0, 127, -127};
    byte[] actual = new byte[expected.length];
    out.get(2, actual);
    assertThat(actual).isEqualTo(expected);
    assertThat(out.remaining()).isEqualTo(34);
  }

  @Test
  void aBlockOfZerosHasTheScaleZero() {
    ByteBuffer out = encode(GgufTensorType.Q8_0, new float[32]);
    while (out.hasRemaining()) {
      assertThat(out.get()).isZero();
    }
  }

  /** quantize_row_q8_0_ref with roundf spelled out in double, where x + 0.5 is exact. */
  @Property(seed = "20261124")
  void q8EqualsItsDefinition(
      @ForAll @Size(96) @FloatRange(min = -1e4f, max = 1e4f) float[] numbers,
      @ForAll @FloatRange(min = 0.01f, max = 10f) float factor) {
    for (int i = 0; i < numbers.length; i++) {
      numbers[i] *= factor;
    }
    ByteBuffer out = encode(GgufTensorType.Q8_0, numbers);
    for (int block = 0; block < 3; block++) {
      float greatest = 0;
      for (int i = 0; i < 32; i++) {
        greatest = Math.max(greatest, Math.abs(numbers[block * 32 + i]));
      }
      float scale = greatest / 127f;
      float inverse = scale == 0 ? 0 : 1f / scale;
      assertThat(out.getShort()).isEqualTo(Float.floatToFloat16(scale));
      for (int i = 0; i < 32; i++) {
        double scaled = numbers[block * 32 + i] * inverse;
        assertThat(out.get()).isEqualTo((byte) (scaled + Math.copySign(0.5, scaled)));
      }
    }
    assertThat(out.hasRemaining()).isFalse();
  }
}
