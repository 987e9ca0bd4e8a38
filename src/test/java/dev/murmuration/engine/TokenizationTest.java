package dev.murmuration.engine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A tokenizer that takes for ever, which is longer than llama.cpp's. */
@Tag("unit")
@Timeout(value = 1, unit = TimeUnit.MINUTES)
class TokenizationTest {
  private static final String LONG = "x".repeat(Tokenization.SHORT + 1);

  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch never = new CountDownLatch(1);
  private final AtomicInteger calls = new AtomicInteger();
  private final Tokenization tokenization = new Tokenization(this::tokenize);

  private int[] tokenize(String text) {
    if (text.equals(LONG)) {
      calls.incrementAndGet();
      begun.countDown();
      try {
        never.await();
      } catch (InterruptedException e) {
        throw new AssertionError("native code cannot be interrupted", e);
      }
    }
    if (text.startsWith("bad")) {
      throw new IllegalArgumentException("bad text");
    }
    return new int[] {text.length()};
  }

  @AfterEach
  void letThemEnd() {
    never.countDown();
  }

  private static Deadline in(Duration timeout) {
    return Deadline.after(timeout, late -> new IllegalStateException("not within " + late));
  }

  @Test
  void aDeadlineEndsIt() {
    assertThatThrownBy(() -> tokenization.tokenize(LONG, in(Duration.ofMillis(20))))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("not within PT0.02S");
  }

  @Test
  void anInterruptEndsIt() throws Exception {
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread caller =
        Thread.ofPlatform()
            .start(
                () -> {
                  try {
                    tokenization.tokenize(LONG, Deadline.NEVER);
                  } catch (CancellationException e) {
                    interrupted.complete(Thread.currentThread().isInterrupted());
                  }
                });
    begun.await();
    caller.interrupt();
    assertThat(interrupted.get()).isTrue();
  }

  @Test
  void closingEndsItAlsoForThoseWhoWaitForAPlace() throws Exception {
    int callers = 3 * Runtime.getRuntime().availableProcessors();
    CompletableFuture<?>[] calls = new CompletableFuture<?>[callers];
    CountDownLatch started = new CountDownLatch(callers);
    for (int i = 0; i < callers; i++) {
      CompletableFuture<int[]> call = new CompletableFuture<>();
      calls[i] = call;
      Thread.ofPlatform()
          .start(
              () -> {
                started.countDown();
                try {
                  call.complete(tokenization.tokenize(LONG, Deadline.NEVER));
                } catch (RuntimeException e) {
                  call.completeExceptionally(e);
                }
              });
    }
    started.await();
    begun.await();
    tokenization.close();
    for (CompletableFuture<?> call : calls) {
      assertThatThrownBy(call::get)
          .isInstanceOf(ExecutionException.class)
          .cause()
          .isInstanceOf(IllegalStateException.class)
          .hasMessageContaining("closed");
    }
  }

  @Test
  void closingAgainAndAgainIsAllowed() {
    for (int i = 0; i < 5000; i++) {
      tokenization.close();
    }
    assertThatThrownBy(() -> tokenization.tokenize(LONG, Deadline.NEVER))
        .isInstanceOf(IllegalStateException.class)
        .hasMessageContaining("closed");
  }

  @Test
  void whoGivesUpAgainAndAgainDoesNotFillTheMachineWithThreads() {
    int places = Runtime.getRuntime().availableProcessors();
    for (int i = 0; i < places + 20; i++) {
      assertThatThrownBy(() -> tokenization.tokenize(LONG, in(Duration.ofMillis(5))))
          .hasMessage("not within PT0.005S");
    }
    assertThat(calls.get()).isEqualTo(places);
  }

  @Test
  void otherTextsAndFailuresComeThrough() {
    String longer = LONG + "x";
    assertThat(tokenization.tokenize("short", Deadline.NEVER)).containsExactly(5);
    assertThat(tokenization.tokenize(longer, Deadline.NEVER)).containsExactly(longer.length());
    for (String bad : new String[] {"bad", "bad" + LONG}) {
      assertThatThrownBy(() -> tokenization.tokenize(bad, Deadline.NEVER))
          .isInstanceOf(IllegalArgumentException.class)
          .hasMessage("bad text");
    }
  }
}
