package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.llama.LlamaException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
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
    private static int refused;
    private static int scored;
    private static int failed;

    public static void main(String[] args) throws IOException {
      Path file = Path.of(args[0]);
      byte[] original = Files.readAllBytes(TestModels.TINY);
      Gguf gguf = Gguf.read(TestModels.TINY);
      int header = (int) gguf.dataOffset();
      // The vocabulary fills most of the header. Numbers and names, where a change tells most,
      // stand around it.
      int[] ends = vocabulary(original);
      for (int percent = 0; percent < 100; percent++) {
        attempt(
            file,
            Arrays.copyOf(original, (int) (original.length * (long) percent / 100)),
            "truncated at " + percent + " %");
      }
      Random random = new Random(SEED);
      for (int i = 0; i < MUTATIONS; i++) {
        byte[] bytes = original.clone();
        StringBuilder what = new StringBuilder("mutation " + i + ":");
        for (int changes = random.nextInt(3); changes >= 0; changes--) {
          what.append(' ')
              .append(mutate(bytes, position(random, header, ends, bytes.length), random));
        }
        attempt(file, bytes, what.toString());
      }
      System.out.println(
          refused + " refused, " + scored + " scored, " + failed + " failed to score");
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

    private static void attempt(Path file, byte[] bytes, String what) throws IOException {
      // The last line on standard error names the file that killed the process.
      System.err.println(what);
      Files.write(file, bytes);
      try (RewardModel model =
          RewardModel.load(
              file, Options.defaults().contextLength(256).threads(1).memoryMap(false))) {
        model.score("Hello?", "Hi, how can I help you?");
        scored++;
      } catch (IOException | IllegalArgumentException e) {
        require(
            e.getMessage() != null && !e.getMessage().isBlank() && !e.getMessage().contains("\n"),
            what,
            e);
        refused++;
      } catch (LlamaException | NonFiniteRewardException e) {
        failed++; // Refused by llama.cpp itself, or not finite.
      }
    }

    private static void require(boolean holds, String what, Throwable cause) {
      if (!holds) {
        throw new AssertionError(what + " has no clear message", cause);
      }
    }
  }

  @Test
  void noDamagedFileEndsTheProcess(@TempDir Path directory) throws Exception {
    ChildJvm.Result result =
        new ChildJvm(Mutate.class).options("-Xmx512m").run(directory.resolve("damaged.gguf"));
    assertThat(result.exitCode()).as(lastLines(result.err())).isZero();
    assertThat(result.out()).matches("\\d+ refused, \\d+ scored, \\d+ failed to score\\R");
  }

  private static String lastLines(String text) {
    return text.lines()
        .skip(Math.max(0, text.lines().count() - 20))
        .reduce("", (a, b) -> a + "\n" + b);
  }
}
