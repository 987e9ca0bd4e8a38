package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Resident memory after many scores, and after many loads, against what it was after the first
 * tenth of them.
 */
@Tag("native")
class LeakTest {
  /** Prints the resident memory in KiB after a tenth and after all of the rounds. */
  static final class Rounds {
    public static void main(String[] args) throws Exception {
      int rounds = Integer.parseInt(args[1]);
      if (args[0].equals("scores")) {
        try (RewardModel model = RewardModel.load(TestModels.TINY)) {
          repeat(
              rounds,
              i ->
                  model.score("Question " + i % 100 + "?", "An answer of some words, number " + i));
        }
      } else {
        repeat(
            rounds,
            i -> {
              try (RewardModel model = RewardModel.load(TestModels.TINY)) {
                model.score("Hello?", "Hi");
              }
            });
      }
    }

    interface Round {
      void run(int i) throws IOException;
    }

    private static void repeat(int rounds, Round round) throws IOException {
      for (int i = 0; i < rounds; i++) {
        if (i == rounds / 10) {
          System.out.println(residentKib());
        }
        round.run(i);
      }
      System.out.println(residentKib());
    }

    private static long residentKib() throws IOException {
      Process ps =
          new ProcessBuilder("ps", "-o", "rss=", "-p", "" + ProcessHandle.current().pid()).start();
      return Long.parseLong(
          new String(ps.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip());
    }
  }

  @Test
  void tenThousandScores() throws Exception {
    requireNoGrowth("scores", 10_000);
  }

  @Test
  void twoHundredLoads() throws Exception {
    requireNoGrowth("loads", 200);
  }

  private static void requireNoGrowth(String what, int rounds) throws Exception {
    // The heap is touched in advance and the compilers' memory is small, so that what grows is
    // native memory of ours.
    ChildJvm.Result result =
        new ChildJvm(Rounds.class)
            .options(
                "-Xms256m",
                "-Xmx256m",
                "-XX:+AlwaysPreTouch",
                "-XX:+UseSerialGC",
                "-XX:TieredStopAtLevel=1")
            .run(what, rounds);
    assertThat(result.exitCode()).as(result.err()).isZero();
    long[] resident = result.out().lines().mapToLong(Long::parseLong).toArray();
    assertThat(resident[1])
        .as("KiB resident after all of " + rounds + " " + what)
        .isLessThan(resident[0] * 105 / 100);
  }
}
