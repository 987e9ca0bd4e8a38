package dev.murmuration.gguf;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Damaged files are refused, with a {@link GgufException} and nothing else, and soon. */
@Tag("unit")
@Timeout(120)
class GgufDamageTest {
  private static final long SEED = 20_261_124;
  private static final long[] EXTREMES = {
    0,
    1,
    -1,
    Long.MAX_VALUE,
    Long.MIN_VALUE,
    1L << 60,
    0xFFFF_FFFFL,
    0x7FFF_FFFFL,
    1L << 31,
    1L << 32,
    33,
    64
  };

  @TempDir Path directory;
  private byte[] original;
  private Path file;
  private int dataOffset;

  @BeforeEach
  void writeModel() throws IOException {
    original = CraftedModel.bytes(directory);
    file = directory.resolve("damaged.gguf");
    Files.write(file, original);
    dataOffset = (int) Gguf.read(file).dataOffset();
  }

  @Test
  void theUndamagedFileIsAccepted() throws IOException {
    assertThat(accepts(original)).isTrue();
  }

  @Test
  void everyTruncationOfTheHeaderIsRefused() throws IOException {
    for (int size = 0; size < dataOffset; size++) {
      assertThat(accepts(Arrays.copyOf(original, size))).as("first %s bytes", size).isFalse();
    }
  }

  @Test
  void truncatedDataIsRefusedWithBothSizes() throws IOException {
    for (int percent = 0; percent < 100; percent++) {
      int size = dataOffset + (original.length - dataOffset) * percent / 100;
      Files.write(file, Arrays.copyOf(original, size));
      assertThatThrownBy(() -> Gguf.read(file))
          .as("first %s bytes", size)
          .isInstanceOf(GgufException.class)
          .hasMessageContainingAll(
              "incomplete", "" + size + " bytes", "" + original.length, "download it again");
    }
  }

  @ParameterizedTest
  @CsvSource({"8, number of tensors", "16, number of metadata keys"})
  void hugeCountsAreRefusedBeforeAnythingIsAllocated(int offset, String name) throws IOException {
    for (long count : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 60, 65_537, 60_000}) {
      byte[] damaged = original.clone();
      little(damaged).putLong(offset, count);
      Files.write(file, damaged);
      assertThatThrownBy(() -> Gguf.read(file))
          .isInstanceOf(GgufException.class)
          .hasMessageContainingAll(name, Long.toUnsignedString(count));
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 4, 8, 16, 24})
  void extremesInTheFixedFieldsAreRefused(int offset) throws IOException {
    for (long extreme : EXTREMES) {
      byte[] damaged = original.clone();
      little(damaged).putInt(offset, (int) extreme);
      assertThat(accepts(damaged)).as("%s at %s", extreme, offset).isFalse();
    }
  }

  @Test
  void extremesAnywhereInTheHeaderDoNoHarm() throws IOException {
    int refused = 0;
    for (int offset = 0; offset + 8 <= dataOffset; offset += 3) {
      byte[] damaged = original.clone();
      little(damaged).putLong(offset, EXTREMES[offset % EXTREMES.length]);
      refused += accepts(damaged) ? 0 : 1;
    }
    assertThat(refused).isGreaterThan(dataOffset / 6);
  }

  @Test
  void randomMutationsAreAcceptedOrRefused() throws IOException {
    Random random = new Random(SEED);
    int accepted = 0;
    int tries = 20_000;
    for (int i = 0; i < tries; i++) {
      byte[] damaged = mutate(random);
      try {
        accepted += accepts(damaged) ? 1 : 0;
      } catch (RuntimeException | Error e) {
        fail("mutation " + i + " of seed " + SEED, e);
      }
    }
    assertThat(accepted).as("seed %s", SEED).isBetween(100, tries / 2);
  }

  private byte[] mutate(Random random) {
    int offset = random.nextInt(dataOffset - 8);
    byte[] damaged = original.clone();
    switch (random.nextInt(5)) {
      case 0 -> damaged[offset] = (byte) random.nextInt();
      case 1 -> damaged[offset] ^= (byte) (1 << random.nextInt(8));
      case 2 -> little(damaged).putLong(offset, EXTREMES[random.nextInt(EXTREMES.length)]);
      case 3 -> little(damaged).putInt(offset, (int) EXTREMES[random.nextInt(EXTREMES.length)]);
      default -> {
        int other = random.nextInt(dataOffset - 8);
        int length = 1 + random.nextInt(64);
        int count = Math.min(length, dataOffset - Math.max(offset, other));
        System.arraycopy(original, other, damaged, offset, count);
      }
    }
    return damaged;
  }

  private boolean accepts(byte[] content) throws IOException {
    Files.write(file, content);
    try {
      LlamaHyperparameters.validate(Gguf.read(file));
      return true;
    } catch (GgufException e) {
      assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
      return false;
    }
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
  }
}
