package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.gguf.GgufReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Damaged model files against the real llama.cpp: whatever the checks let pass is loaded and scored
 * with, in a JVM that must live through it.
 */
@Tag("native")
class HostileFileTest {
  private static final int MUTATIONS = 6_000;
  private static final long SEED = 20261124;

  /** Loads one damaged copy after another; prints how they ended. */
  static final class Mutate {
    private static final int MOST_CHANGED = 8; // Bytes in one place.

    private static int refused;
    private static int scored;
    private static int failed;

    public static void main(String[] args) throws IOException {
      Path file = Path.of(args[0]);
      TestModels.cut(_ -> {}).write(file);
      byte[] original = Files.readAllBytes(file);
      int header = (int) GgufReader.read(file).dataOffset();
      // The vocabulary fills most of the header. Numbers and names, where a change tells most,
      // stand around it.
      int[] ends = vocabulary(original);
      try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE)) {
        for (int percent = 99; percent >= 0; percent--) {
          channel.truncate(original.length * (long) percent / 100);
          attempt(file, "truncated at " + percent + " %");
        }
        channel.write(ByteBuffer.wrap(original), 0);
        attempt(file, "whole");
        Random random = new Random(SEED);
        for (int i = 0; i < MUTATIONS; i++) {
          mutateAndAttempt(file, channel, original, header, ends, i, random);
        }
      }
      System.out.println(
          refused + " refused, " + scored + " scored, " + failed + " failed to score");
    }

    /** Changes up to three places of the file, and changes them back afterwards. */
    private static void mutateAndAttempt(
        Path file,
        FileChannel channel,
        byte[] original,
        int header,
        int[] ends,
        int i,
        Random random)
        throws IOException {
      byte[] bytes = original.clone();
      int changes = 1 + random.nextInt(3);
      int[] places = new int[changes];
      StringBuilder what = new StringBuilder("mutation " + i + ":");
      for (int change = 0; change < changes; change++) {
        places[change] = position(random, header, ends, bytes.length);
        what.append(' ').append(mutate(bytes, places[change], random));
      }
      write(channel, bytes, places);
      attempt(file, what.toString());
      write(channel, original, places);
    }

    private static void write(FileChannel channel, byte[] bytes, int[] places) throws IOException {
      for (int place : places) {
        int length = Math.min(MOST_CHANGED, bytes.length - place);
        channel.write(ByteBuffer.wrap(bytes, place, length), place);
      }
    }

    /**
     * Begin and end of the three arrays of the vocabulary, roughly: whatever lies outside is looked
     * at more often.
     */
    private static int[] vocabulary(byte[] bytes) {
      return new int[] {
        indexOf(bytes, "tokenizer.ggml.tokens"), indexOf(bytes, "tokenizer.ggml.bos_token_id")
      };
    }

    private static int indexOf(byte[] bytes, String text) {
      return new String(bytes, java.nio.charset.StandardCharsets.ISO_8859_1).indexOf(text);
    }

    private static int position(Random random, int header, int[] vocabulary, int length) {
      return switch (random.nextInt(10)) {
        case 0 -> random.nextInt(header);
        case 1 -> header + random.nextInt(length - header);
        case 2 -> random.nextInt(32);
        case 3, 4, 5 -> random.nextInt(vocabulary[0] + 64);
        default -> vocabulary[1] + random.nextInt(header - vocabulary[1]);
      };
    }

    private static String mutate(byte[] bytes, int at, Random random) {
      int width = Math.min(1 << random.nextInt(4), bytes.length - at);
      switch (random.nextInt(5)) {
        case 0 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
        case 1 -> Arrays.fill(bytes, at, at + width, (byte) 0);
        case 2 -> Arrays.fill(bytes, at, at + width, (byte) 0xFF);
        case 3 -> {
          Arrays.fill(bytes, at, at + width, (byte) 0xFF);
          bytes[at + width - 1] = 0x7F;
        }
        default -> {
          byte[] noise = new byte[width];
          random.nextBytes(noise);
          System.arraycopy(noise, 0, bytes, at, width);
        }
      }
      return width + " bytes at " + at;
    }

    private static void attempt(Path file, String what) {
      // The last line on standard error names the file that killed the process.
      System.err.println(what);
      switch (HostileFile.attempt(file, what)) {
        case REFUSED -> refused++;
        case SCORED -> scored++;
        case FAILED -> failed++;
      }
    }
  }

  @Test
  void noDamagedFileEndsTheProcess(@TempDir Path directory) throws Exception {
    ChildJvm.Result result =
        new ChildJvm(Mutate.class).options("-Xmx512m").run(directory.resolve("damaged.gguf"));
    assertThat(result.exitCode()).as(lastLines(result.err())).isZero();
    Matcher counts =
        Pattern.compile("(\\d+) refused, (\\d+) scored, (\\d+) failed to score\\R")
            .matcher(result.out());
    assertThat(counts.matches()).as(result.out()).isTrue();
    // Damage that the checks find, damage that they let pass, and all of it was tried.
    int refused = Integer.parseInt(counts.group(1));
    int scored = Integer.parseInt(counts.group(2));
    assertThat(refused).isGreaterThan(MUTATIONS / 10);
    assertThat(scored).isGreaterThan(MUTATIONS / 20);
    assertThat(refused + scored + Integer.parseInt(counts.group(3))).isEqualTo(MUTATIONS + 101);
  }

  private static String lastLines(String text) {
    return text.lines()
        .skip(Math.max(0, text.lines().count() - 20))
        .reduce("", (a, b) -> a + "\n" + b);
  }
}
