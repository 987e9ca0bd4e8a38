package dev.murmuration.reward;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.TestModels;
import dev.murmuration.TestTexts;
import dev.murmuration.engine.Step;
import dev.murmuration.gguf.GgufReader;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.logging.Logger;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Closing, cancelling and many threads. */
@Tag("native")
@Timeout(value = 2, unit = TimeUnit.MINUTES)
class LifecycleTest {
  /** 2048 tokens: long enough to be caught in the act. */
  private static final String LONG = "all right ".repeat(1100);

  private static RewardModel load(RewardModelOptions options) throws Exception {
    return RewardModel.load(TestModels.TINY, options);
  }

  @Test
  void closingTwiceIsAllowedAndUseAfterCloseIsAnError() throws Exception {
    RewardModel model = load(RewardModelOptions.defaults());
    model.close();
    assertThatCode(model::close).doesNotThrowAnyException();
    assertThatThrownBy(() -> model.score("Hello?", "Hi"))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
    assertThatThrownBy(() -> model.submit(Input.of("Hello?", "Hi")))
        .isInstanceOf(IllegalStateException.class);
    assertThatThrownBy(() -> model.trace("Hello?", "Hi")).isInstanceOf(IllegalStateException.class);
  }

  /** Not even its own thread keeps it from becoming garbage. */
  @Test
  void aModelThatNobodyClosesIsReported() throws Exception {
    Logger logger = Logger.getLogger("dev.murmuration.reward");
    CountDownLatch reported = new CountDownLatch(1);
    logger.setFilter(
        line -> {
          boolean ours =
              line.getMessage().contains(TestModels.TINY.getFileName() + " was never closed")
                  && Arrays.stream(line.getThrown().getStackTrace())
                      .anyMatch(frame -> frame.getClassName().equals(getClass().getName()));
          if (ours) {
            reported.countDown();
          }
          return !ours;
        });
    try {
      assertThat(load(RewardModelOptions.defaults()).score("Hello?", "Hi").reward()).isFinite();
      while (reported.getCount() > 0) {
        System.gc();
      }
    } finally {
      logger.setFilter(null);
    }
  }

  @Test
  void closingWhile50ThreadsScore() throws Exception {
    for (int round = 0; round < 5; round++) {
      RewardModel model = load(RewardModelOptions.defaults().reuse(false).queueCapacity(8));
      double expected = model.score(Input.text(LONG)).reward();
      CountDownLatch scored = new CountDownLatch(60);
      List<Future<?>> callers = new ArrayList<>();
      try (var threads = Executors.newFixedThreadPool(50)) {
        for (int i = 0; i < 50; i++) {
          callers.add(
              threads.submit(
                  () -> {
                    while (true) {
                      assertThat(model.score(Input.text(LONG)).reward()).isEqualTo(expected);
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
    try (RewardModel model = load(RewardModelOptions.defaults().precision(Precision.EXACT));
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
    Gate gate = new Gate();
    try (RewardModel model = load(gate.options().reuse(false))) {
      Reward before = model.score("Hello?", "Hi");
      gate.shut();
      AtomicReference<Throwable> thrown = new AtomicReference<>();
      AtomicReference<Boolean> interrupted = new AtomicReference<>();
      Thread caller =
          Thread.ofPlatform()
              .start(
                  () -> {
                    try {
                      model.score(Input.text(LONG));
                    } catch (CancellationException e) {
                      thrown.set(e);
                      interrupted.set(Thread.currentThread().isInterrupted());
                    }
                  });
      gate.awaitArrival();
      caller.interrupt();
      // The engine still stands in front of the decode: the caller does not wait for it.
      caller.join();
      assertThat(thrown.get())
          .isInstanceOf(CancellationException.class)
          .hasMessageContaining("interrupted");
      assertThat(interrupted.get()).isTrue();
      gate.open();
      assertComputesNothingElse(model, before);
    }
  }

  @Test
  void aTimeoutEndsTheCallAndTheModelGoesOn() throws Exception {
    Gate gate = new Gate();
    try (RewardModel model = load(gate.options().reuse(false))) {
      Reward before = model.score("Hello?", "Hi");
      gate.shut();
      CallOptions soon = CallOptions.defaults().timeout(Duration.ofMillis(500));
      assertThatThrownBy(() -> model.score(Input.text(LONG), soon))
          .isInstanceOf(ScoringTimeoutException.class)
          .hasMessageContaining("500 ms");
      gate.open();
      assertComputesNothingElse(model, before);
    }
  }

  /** That the model, which has scored "Hello?" and "Hi" alone, scores them again, and only them. */
  private static void assertComputesNothingElse(RewardModel model, Reward before) {
    assertThat(model.score("Hello?", "Hi")).isEqualTo(before);
    assertThat(model.statistics().tokensComputed()).isEqualTo(2L * before.tokens());
  }

  @Test
  void aTimeoutIncludesWaitingForAPlaceInTheQueue() throws Exception {
    Gate gate = new Gate();
    gate.shut();
    RewardModelOptions options = gate.options().queueCapacity(2).timeout(Duration.ofMillis(50));
    try (RewardModel model = load(options)) {
      List<String> texts = IntStream.range(0, 1000).mapToObj(i -> "Hi " + i).toList();
      assertThatThrownBy(() -> model.scoreAll(TestTexts.inputs(texts)))
          .isInstanceOf(ScoringTimeoutException.class);
      assertThatThrownBy(() -> model.score(Input.text("Hi")))
          .isInstanceOf(ScoringTimeoutException.class);
      assertThatThrownBy(() -> model.trace("Hello?", "Hi"))
          .isInstanceOf(ScoringTimeoutException.class);
      for (int i = 0; i < 8; i++) {
        assertThatThrownBy(model.submit(Input.text("Hi " + i))::get)
            .isInstanceOf(ExecutionException.class)
            .hasCauseInstanceOf(ScoringTimeoutException.class);
      }
      gate.open();
    }
  }

  @Test
  void aTimeoutMayBeAsLongAsADurationCan() throws Exception {
    for (Duration timeout :
        List.of(Duration.ofDays(106_752), Duration.ofSeconds(Long.MAX_VALUE, 999_999_999))) {
      try (RewardModel model = load(RewardModelOptions.defaults().timeout(timeout))) {
        assertThat(model.score("Hello?", "Hi").reward()).isFinite();
        assertThat(model.submit(Input.of("Hello?", "Hi")).get().reward()).isFinite();
        assertThat(model.scoreAll(TestTexts.inputs(List.of("a", "b")))).hasSize(2);
      }
    }
  }

  @Test
  void callbacksThatBlockDelayNobodyElse() throws Exception {
    CountDownLatch release = new CountDownLatch(1);
    // A callback of a future that is complete already would run here.
    CountDownLatch attached = new CountDownLatch(1);
    RewardModelOptions options =
        RewardModelOptions.defaults()
            .timeout(Duration.ofMinutes(10))
            .probe(step -> awaitAt(Step.LOOK_UP, step, attached));
    try (RewardModel model = load(options);
        RewardModel other = load(RewardModelOptions.defaults())) {
      List<CompletableFuture<Void>> blocked = new ArrayList<>();
      CountDownLatch blocking = new CountDownLatch(20);
      for (int i = 0; i < 20; i++) {
        blocked.add(
            model
                .submit(Input.text("Hi " + i))
                .thenAccept(
                    reward -> {
                      blocking.countDown();
                      try {
                        release.await();
                      } catch (InterruptedException e) {
                        throw new AssertionError(e);
                      }
                    }));
      }
      attached.countDown();
      blocking.await();
      assertThat(model.submit(Input.text("Hello?")).get().reward()).isFinite();
      assertThat(other.submit(Input.text("Hello?")).get().reward()).isFinite();
      assertThat(blocked).noneMatch(CompletableFuture::isDone);
      release.countDown();
      for (CompletableFuture<Void> one : blocked) {
        one.get();
      }
    }
  }

  private static void awaitAt(Step awaited, Step step, CountDownLatch latch) {
    try {
      if (step == awaited) {
        latch.await();
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  @Test
  void tokenizingALongTextEndsWithTheModel() throws Exception {
    // One word: of known ones it would be tokenized at once.
    String longest = "all_right_".repeat(100_000);
    for (int i = 0; i < 3; i++) {
      RewardModel model = load(RewardModelOptions.defaults());
      CountDownLatch running = new CountDownLatch(1);
      CompletableFuture<Throwable> ended = new CompletableFuture<>();
      Thread caller =
          Thread.ofPlatform()
              .start(
                  () -> {
                    running.countDown();
                    try {
                      while (true) {
                        model.score(Input.text(longest));
                      }
                    } catch (Throwable e) {
                      ended.complete(e);
                    }
                  });
      running.await();
      if (i == 0) {
        caller.interrupt();
        assertThat(ended.get()).isInstanceOf(CancellationException.class);
      }
      model.close();
      caller.join();
      if (i > 0) {
        assertThat(ended.get())
            .isInstanceOf(IllegalStateException.class)
            .hasMessageContaining("closed");
      }
    }
  }

  /** llama.cpp would look for it for minutes, once for each letter. */
  @Test
  void aVocabularyWhoseControlTokenIsALetterStopsNothing(@TempDir Path directory) throws Exception {
    Path file = directory.resolve("letter.gguf");
    TestModels.cut(types -> Arrays.fill(types, 259, types.length, 3)).write(file);
    List<String> tokens = GgufReader.read(file).strings("tokenizer.ggml.tokens").orElseThrow();
    String piece =
        tokens.subList(259, tokens.size()).stream()
            .filter(token -> !token.contains("▁"))
            .findFirst()
            .orElseThrow();
    try (RewardModel model = RewardModel.load(file)) {
      assertThatThrownBy(() -> model.score(Input.text(piece.repeat(200_000))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("special tokens");
      assertThat(model.score(Input.text("Hello?")).reward()).isFinite();
    }
  }

  @Test
  void cancellingFuturesFreesTheEngine() throws Exception {
    Gate gate = new Gate();
    int count = 200;
    try (RewardModel model = load(gate.options().reuse(false).queueCapacity(count))) {
      Reward before = model.score("Hello?", "Hi");
      gate.shut();
      List<CompletableFuture<Reward>> futures = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        futures.add(model.submit(Input.text(LONG)));
      }
      gate.awaitArrival();
      futures.forEach(future -> future.cancel(true));
      gate.open();
      assertComputesNothingElse(model, before);
    }
  }

  /** After several texts at once the engine waits a moment for as many again. */
  @Test
  void whoWithdrawsWhileTheEngineWaitsForMoreLeavesItRunning() throws Exception {
    try (RewardModel model = load(RewardModelOptions.defaults().reuse(false))) {
      for (int round = 0; round < 50; round++) {
        assertThat(model.scoreAll(TestTexts.inputs(List.of(LONG, "Hello?")))).hasSize(2);
        model.submit(Input.text("Hi")).cancel(true);
      }
      assertThat(model.score("Hello?", "Hi").reward()).isFinite();
    }
  }

  @Test
  void asyncResultsMayScoreAgain() throws Exception {
    try (RewardModel model = load(RewardModelOptions.defaults().queueCapacity(1))) {
      // On the engine's own thread this would wait for itself for ever.
      Reward second =
          model
              .submit(Input.of("Hello?", "Hi"))
              .thenApply(first -> model.score("Hello?", "Hi"))
              .get();
      assertThat(second).isEqualTo(model.score("Hello?", "Hi"));
    }
  }

  @Test
  void aFullQueueMakesSubmittersWait() throws Exception {
    Gate gate = new Gate();
    gate.shut();
    int capacity = 2;
    try (RewardModel model = load(gate.options().queueCapacity(capacity))) {
      AtomicInteger submitted = new AtomicInteger();
      List<CompletableFuture<Reward>> futures = new ArrayList<>();
      Thread caller =
          Thread.ofPlatform()
              .start(
                  () -> {
                    for (int i = 0; i < 100; i++) {
                      futures.add(model.submit(Input.text("Hi " + i)));
                      submitted.incrementAndGet();
                    }
                  });
      while (submitted.get() < capacity || caller.getState() == Thread.State.RUNNABLE) {
        Thread.onSpinWait();
      }
      int before = submitted.get();
      gate.open();
      caller.join();
      // One wave may have left the queue, and that holds no more than the queue did.
      assertThat(before).isBetween(capacity, 2 * capacity);
      for (int i = 0; i < 100; i++) {
        assertThat(futures.get(i).get().reward()).isFinite();
      }
    }
  }

  @Test
  void oneBadTextFailsItsListAndNothingElse() throws Exception {
    try (RewardModel model = load(RewardModelOptions.defaults())) {
      assertThatThrownBy(
              () -> model.scoreAll(TestTexts.inputs(List.of("fine", "lone \uD800", "fine"))))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessageContaining("text 2 of 3")
          .hasMessageContaining("surrogate");
      assertThat(model.scoreAll(TestTexts.inputs(List.of("a", "b")))).hasSize(2);
      assertThat(model.scoreAll(TestTexts.inputs(List.of()))).isEmpty();
    }
  }

  @Test
  void failuresWhileLoadingLeaveTheProcessUsable() throws Exception {
    assertThatThrownBy(() -> load(RewardModelOptions.defaults().device("NoSuchDevice")))
        .hasMessageContaining("NoSuchDevice")
        .hasMessageContaining("CPU");
    assertThatThrownBy(
            () ->
                load(
                    RewardModelOptions.defaults()
                        .progress(
                            share -> {
                              throw new IllegalStateException("stop at " + (share >= 0));
                            })))
        .hasMessage("stop at true");
    try (RewardModel model = load(RewardModelOptions.defaults())) {
      assertThat(model.score("Hello?", "Hi").reward()).isFinite();
    }
  }
}
