package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Closing, cancelling and many threads. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LifecycleTest {
  /** 2048 tokens: long enough to be caught in the act. */
  private static final String LONG = "all right ".repeat(1100);

  private static RewardModel load(Options options) throws Exception {
    return RewardModel.load(TestModels.TINY, options);
  }

  @Test
  void closingTwiceIsAllowedAndUseAfterCloseIsAnError() throws Exception {
    RewardModel model = load(Options.defaults());
    model.close();
    assertThatCode(model::close).doesNotThrowAnyException();
    assertThatThrownBy(() -> model.score("Hello?", "Hi"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> model.scoreAsync("Hello?", "Hi"))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> model.trace("Hello?", "Hi")).isInstanceOf(IllegalStateException.class);
  }

  @Test
  void closingWhile50ThreadsScore() throws Exception {
    for (int round = 0; round < 5; round++) {
      RewardModel model = load(Options.defaults().reuse(false).queueCapacity(8));
      double expected = model.scoreText(LONG).reward();
      CountDownLatch scored = new CountDownLatch(60);
      List<Future<?>> callers = new ArrayList<>();
      try (var threads = Executors.newFixedThreadPool(50)) {
        for (int i = 0; i < 50; i++) {
          callers.add(
              threads.submit(
                  () -> {
                    while (true) {
                      assertThat(model.scoreText(LONG).reward()).isEqualTo(expected);
                      scored.countDown();
                    }
                  }));
        }
        scored.await();
        model.close();
        for (Future<?> caller : callers) {
          assertThatThrownBy(caller::get)
              .isInstanceOf(ExecutionException.class)
              .cause()
              .isInstanceOf(IllegalStateException.class)
              .hasMessageContaining("closed");
        }
      }
    }
  }

  @Test
  void virtualThreadsScoreToo() throws Exception {
    try (RewardModel model = load(Options.defaults().precision(Precision.EXACT));
        var threads = Executors.newVirtualThreadPerTaskExecutor()) {
      double expected = model.score("Hello?", "Hi").reward();
      List<Future<Double>> rewards = new ArrayList<>();
      for (int i = 0; i < 500; i++) {
        rewards.add(threads.submit(() -> model.score("Hello?", "Hi").reward()));
      }
      for (Future<Double> reward : rewards) {
        assertThat(reward.get()).isEqualTo(expected);
      }
    }
  }

  @Test
  void anInterruptedCallerGetsAnExceptionAndTheModelGoesOn() throws Exception {
    try (RewardModel model = load(Options.defaults().reuse(false))) {
      Reward before = model.score("Hello?", "Hi");
      CountDownLatch running = new CountDownLatch(1);
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      AtomicReference<Boolean> interrupted = new AtomicReference<>();
      Thread caller =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      running.countDown();
                      while (true) {
                        model.scoreText(LONG);
                      }
                    } catch (CancellationException e) {
                      thrown.set(e);
                      interrupted.set(Thread.currentThread().isInterrupted());
                    }
                  });
      running.await();
      caller.interrupt();
      caller.join();
      assertThat(thrown.get())
          .isInstanceOf(CancellationException.class)
          .hasMessageContaining("interrupted");
      assertThat(interrupted.get()).isTrue();
      assertThat(model.score("Hello?", "Hi")).isEqualTo(before);
    }
  }

  @Test
  void aTimeoutEndsTheCallAndTheModelGoesOn() throws Exception {
    try (RewardModel model = load(Options.defaults().reuse(false).timeout(Duration.ofMillis(1)))) {
      assertThatThrownBy(() -> model.scoreAllTexts(java.util.Collections.nCopies(50, LONG)))
          .isInstanceOf(ScoringTimeoutException.class)
          .hasMessageContaining("1 ms");
      CompletableFuture<Reward> last = null;
      for (int i = 0; i < 50; i++) {
        last = model.scoreTextAsync(LONG);
      }
      assertThatThrownBy(last::get).hasCauseInstanceOf(TimeoutException.class);
    }
  }

  @Test
  void cancellingFuturesFreesTheEngine() throws Exception {
    try (RewardModel model = load(Options.defaults().reuse(false))) {
      Reward expected = model.score("Hello?", "Hi");
      List<CompletableFuture<Reward>> futures = new ArrayList<>();
      for (int i = 0; i < 200; i++) {
        futures.add(model.scoreTextAsync(LONG));
      }
      futures.forEach(future -> future.cancel(true));
      assertThat(model.score("Hello?", "Hi")).isEqualTo(expected);
      assertThat(futures).allMatch(CompletableFuture::isDone);
    }
  }

  @Test
  void asyncResultsMayScoreAgain() throws Exception {
    try (RewardModel model = load(Options.defaults().queueCapacity(1))) {
      // On the engine's own thread this would wait for itself for ever.
      Reward second =
          model.scoreAsync("Hello?", "Hi").thenApply(first -> model.score("Hello?", "Hi")).get();
      assertThat(second).isEqualTo(model.score("Hello?", "Hi"));
    }
  }

  @Test
  void aFullQueueMakesSubmittersWait() throws Exception {
    try (RewardModel model = load(Options.defaults().precision(Precision.EXACT).queueCapacity(2))) {
      List<CompletableFuture<Reward>> futures = new ArrayList<>();
      for (int i = 0; i < 100; i++) {
        futures.add(model.scoreAsync("Hello?", "Hi " + i));
      }
      for (int i = 0; i < 100; i++) {
        assertThat(futures.get(i).get()).isEqualTo(model.score("Hello?", "Hi " + i));
      }
    }
  }

  @Test
  void oneBadTextFailsItsListAndNothingElse() throws Exception {
    try (RewardModel model = load(Options.defaults())) {
      assertThatThrownBy(() -> model.scoreAllTexts(List.of("fine", "lone \uD800", "fine")))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("surrogate");
      assertThat(model.scoreAllTexts(List.of("a", "b"))).hasSize(2);
      assertThat(model.scoreAllTexts(List.of())).isEmpty();
    }
  }

  @Test
  void failuresWhileLoadingLeaveTheProcessUsable() throws Exception {
    assertThatThrownBy(() -> load(Options.defaults().device("NoSuchDevice")))
        .hasMessageContaining("NoSuchDevice")
        .hasMessageContaining("CPU");
    assertThatThrownBy(
            () ->
                load(
                    Options.defaults()
                        .progress(
                            share -> {
                              throw new IllegalStateException("stop at " + (share >= 0));
                            })))
        .hasMessage("stop at true");
    try (RewardModel model = load(Options.defaults())) {
      assertThat(model.score("Hello?", "Hi").reward()).isFinite();
    }
  }
}
