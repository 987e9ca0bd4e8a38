package dev.murmuration.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ScoringIteratorTest {
  private final AtomicInteger read = new AtomicInteger();
  private RewardModel model;

  @BeforeEach
  void load() throws Exception {
    model = ModelFiles.load(Local.settings());
  }

  @AfterEach
  void close() {
    model.close();
  }

  private ScoringIterator<String, String> scored(Stream<String> texts, RewardSettings settings) {
    Iterator<String> source = texts.peek(_ -> read.incrementAndGet()).iterator();
    return new ScoringIterator<>(
        source,
        text -> Input.of("Hello?", text),
        (text, result) -> text + " " + result.reward(),
        model,
        settings);
  }

  @Test
  void aBoundedNumberOfRowsIsUnderWay() throws Exception {
    try (var scored =
        scored(IntStream.iterate(0, i -> i + 1).mapToObj(String::valueOf), window(10))) {
      for (int i = 0; i < 50; i++) {
        assertThat(scored.next()).isEqualTo(i + " " + model.score("Hello?", "" + i).reward());
        // A stream reads one ahead.
        assertThat(read.get()).isBetween(i + 10, i + 11);
      }
    }
  }

  private static RewardSettings window(int rows) {
    return Local.settings().window(rows);
  }

  @Test
  void soIsTheLengthOfTheirTexts() throws Exception {
    int[] huge = new int[1_000_000];
    Arrays.fill(huge, 10);
    RewardSettings settings = window(10).option("contextLength", 64);
    try (RewardModel small = ModelFiles.load(settings);
        var scored =
            new ScoringIterator<>(
                Stream.generate(() -> huge).peek(_ -> read.incrementAndGet()).iterator(),
                tokens -> Input.tokens(tokens),
                (_, result) -> result.tokens(),
                small,
                settings)) {
      assertThat(scored.next()).isEqualTo(64);
      assertThat(read.get()).isLessThanOrEqualTo(6);
    }
  }

  @Test
  void withATimeLimitNoRowWaitsLong() throws Exception {
    RewardSettings settings = window(10).option("timeoutSeconds", 1000);
    try (var scored = scored(IntStream.range(0, 20).mapToObj(String::valueOf), settings)) {
      String _ = scored.next();
      assertThat(read.get()).isLessThanOrEqualTo(3);
    }
  }

  @Test
  void closingWithdrawsWhatIsUnderWay() throws Exception {
    // Half a million tokens, none of them like the others.
    Stream<String> texts = IntStream.range(0, 1000).mapToObj(i -> i + " word".repeat(500));
    var scored = scored(texts, window(900));
    String _ = scored.next();
    assertThat(model.queueLength()).isPositive();
    scored.close();
    assertThat(model.queueLength()).isZero();
    assertThatThrownBy(
            () -> {
              while (scored.hasNext()) {
                String _ = scored.next();
              }
            })
        .isInstanceOf(CancellationException.class);
    assertThat(model.statistics().texts()).isLessThan(900);
    scored.close();
  }

  @Test
  void anInterruptEndsTheWaiting() throws Exception {
    Stream<String> texts = IntStream.range(0, 1000).mapToObj(i -> i + " word".repeat(500));
    var scored = scored(texts, window(900));
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    Thread thread =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    Thread.currentThread().interrupt();
                    scored.forEachRemaining(_ -> {});
                    thrown.complete(null);
                  } catch (Throwable e) {
                    thrown.complete(e);
                  }
                });
    thread.join();
    assertThat(thrown.get()).isInstanceOf(CancellationException.class);
    assertThat(model.queueLength()).isZero();
  }

  @Test
  void whatIsNoFailureOfARowFailsTheTask() throws Exception {
    List<String> texts = new ArrayList<>(List.of("a", "b", "c"));
    try (var scored = scored(texts.stream(), window(1))) {
      String _ = scored.next();
      model.close();
      assertThatThrownBy(scored::next)
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
    var broken =
        new ScoringIterator<String, String>(
            texts.iterator(),
            _ -> {
              throw new java.io.IOException("no input");
            },
            (text, _) -> text,
            model,
            window(1));
    assertThatThrownBy(broken::hasNext).hasRootCauseMessage("no input");
  }
}
