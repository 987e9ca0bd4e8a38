package dev.murmuration.gguf;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.fail;

import dev.murmuration.files.BadFileException;
import dev.murmuration.model.ModelCheck;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
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

/** Damaged files are refused, with a {@link BadFileException} and nothing else, and soon. */
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
    dataOffset = (int) GgufReader.read(file).dataOffset();
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
      assertThatThrownBy(() -> GgufReader.read(file))
          .as("first %s bytes", size)
          .isInstanceOf(BadFileException.class)
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
      assertThatThrownBy(() -> GgufReader.read(file))
          .isInstanceOf(BadFileException.class)
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

  @Test
  void hugeLengthsAreRefusedBeforeAnythingIsAllocated() throws IOException {
    for (long length : new long[] {-1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 60, 1L << 31}) {
      String shown = Long.toUnsignedString(length);
      refused("tokenizer.ggml.tokens", 8, length, "tokenizer.ggml.tokens", shown);
      refused("tokenizer.ggml.scores", 8, length, "tokenizer.ggml.scores", shown);
      refused("general.name", 4, length, "general.name", shown);
      refused("tokenizer.ggml.tokens", 16, length, "tokenizer.ggml.tokens", shown);
      refused("output_norm.weight", 16, length, "output_norm.weight", shown);
    }
  }

  @Test
  void dimensionsThatCannotBeAreRefused() throws IOException {
    for (long dim : new long[] {0, -1, Long.MIN_VALUE, Long.MAX_VALUE, 1L << 60, (1L << 40) + 1}) {
      String shown = Long.toUnsignedString(dim);
      refused("output_norm.weight", 4, dim, "output_norm.weight", "dimension " + shown);
    }
    refused("output_norm.weight", 4, 1L << 40, "incomplete");
    refused("output_norm.weight", 0, little(0, 32), "output_norm.weight", "0 dimensions");
    refused("output_norm.weight", 0, little(5, 32), "output_norm.weight", "5 dimensions");
  }

  @Test
  void typesThatGgmlDoesNotKnowAreRefused() throws IOException {
    for (int type : new int[] {-1, 4, 5, 31, 36, 43}) {
      String shown = Integer.toUnsignedString(type);
      refused("output_norm.weight", 12, little(type, 0), "output_norm.weight", "type " + shown);
    }
    refused("llama.vocab_size", 0, little(13, 1), "llama.vocab_size", "type 13");
    refused("tokenizer.ggml.scores", 4, little(9, 1), "tokenizer.ggml.scores", "array of arrays");
  }

  @Test
  void overlapsAndGapsAreRefused() throws IOException {
    refused("output_norm.weight", 16, 0, "output_norm.weight", "offset 0, expected");
    refused("blk.0.attn_norm.weight", 16, 64, "blk.0.attn_norm.weight", "offset 64, expected");
  }

  @Test
  void duplicatesAreRefused() throws IOException {
    byte[] damaged = original.clone();
    replace(damaged, "blk.1.attn_norm.weight", "blk.0.attn_norm.weight");
    refused(damaged, "\"blk.0.attn_norm.weight\" appears twice");
    damaged = original.clone();
    replace(damaged, "tokenizer.ggml.bos_token_id", "tokenizer.ggml.eos_token_id");
    refused(damaged, "\"tokenizer.ggml.eos_token_id\" appears twice");
  }

  @Test
  void namesWithANulAreRefused() throws IOException {
    byte[] damaged = original.clone();
    replace(damaged, "general.name", "split.count\0");
    refused(damaged, "\"split.count\\u0000\"", "printable");
  }

  @Test
  void aHeaderWithoutEndIsRefusedAndCostsLittle() throws IOException {
    byte[] damaged = original.clone();
    int lengthAt = after(damaged, "tokenizer.ggml.tokens") + 8;
    little(damaged).putLong(lengthAt, 1L << 24);
    Arrays.fill(damaged, lengthAt + 8, damaged.length, (byte) 0);
    Files.write(file, damaged);
    try (RandomAccessFile sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(1L << 32);
    }
    assertThatThrownBy(() -> GgufReader.read(file))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll("tokenizer.ggml.tokens", "limit", "" + (64 << 20));
  }

  private void refused(String name, int distance, long value, String... expected)
      throws IOException {
    refused(name, distance, little((int) value, (int) (value >>> 32)), expected);
  }

  /** Overwrites what stands {@code distance} bytes behind the end of a name. */
  private void refused(String name, int distance, byte[] value, String... expected)
      throws IOException {
    byte[] damaged = original.clone();
    System.arraycopy(value, 0, damaged, after(damaged, name) + distance, value.length);
    refused(damaged, expected);
  }

  private void refused(byte[] damaged, String... expected) throws IOException {
    Files.write(file, damaged);
    assertThatThrownBy(() -> GgufReader.read(file))
        .isInstanceOf(BadFileException.class)
        .hasMessageContainingAll(expected);
  }

  private static void replace(byte[] in, String name, String other) {
    byte[] replacement = bytes(other);
    System.arraycopy(replacement, 0, in, after(in, name) - name.length(), replacement.length);
  }

  private static int after(byte[] in, String name) {
    int start = new String(in, StandardCharsets.ISO_8859_1).indexOf(name);
    assertThat(start).as(name).isPositive();
    return start + name.length();
  }

  private static byte[] bytes(String text) {
    return text.getBytes(StandardCharsets.ISO_8859_1);
  }

  /** Two 32-bit numbers. */
  private static byte[] little(int first, int second) {
    byte[] pair = new byte[8];
    little(pair).putInt(first).putInt(second);
    return pair;
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
      ModelCheck.check(GgufReader.read(file));
      return true;
    } catch (BadFileException e) {
      assertThat(e.getMessage()).startsWith(file + ": ").doesNotContain("\n");
      return false;
    }
  }

  private static ByteBuffer little(byte[] bytes) {
    return ByteBuffer.wrap(bytes).order(LITTLE_ENDIAN);
  }
}
