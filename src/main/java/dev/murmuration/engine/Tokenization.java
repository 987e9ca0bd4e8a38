package dev.murmuration.engine;

import dev.murmuration.llama.Vocabulary;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Function;

/**
 * Tokenizing that a deadline, an interrupt and closing end. llama.cpp cannot be stopped in it: a
 * long text is tokenized on a thread of its own, which the caller leaves behind; it ends by itself,
 * within the second or two that the longest text takes. Any thread may call.
 */
public final class Tokenization implements AutoCloseable {
  /** Texts up to so many characters are not worth a thread. */
  static final int SHORT = Vocabulary.SHORT_TEXT;

  private final Function<String, int[]> tokenizer;
  private final Set<FutureTask<int[]>> tasks = ConcurrentHashMap.newKeySet();

  // Who gives up and comes again must not leave more and more threads behind.
  private final Semaphore places = new Semaphore(Runtime.getRuntime().availableProcessors());
  private final AtomicBoolean closed = new AtomicBoolean();

  /**
   * @param tokenizer from a text to token ids, slowly
   */
  public Tokenization(Function<String, int[]> tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * The token ids of a text.
   *
   * @throws RuntimeException the deadline's, if it passes meanwhile
   * @throws CancellationException if the thread is interrupted meanwhile
   * @throws IllegalStateException if it is closed
   */
  public int[] tokenize(String text, Deadline deadline) {
    if (text.length() <= SHORT) {
      return tokenizer.apply(text);
    }
    try {
      if (!places.tryAcquire(deadline.remaining(), TimeUnit.NANOSECONDS)) {
        throw deadline.exceeded();
      }
      return onThreadOfItsOwn(text, deadline);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled = new CancellationException("interrupted while tokenizing");
      cancelled.initCause(e);
      throw cancelled;
    }
  }

  private int[] onThreadOfItsOwn(String text, Deadline deadline) throws InterruptedException {
    FutureTask<int[]> task = new FutureTask<>(() -> tokenizer.apply(text));
    boolean begun = false;
    try {
      tasks.add(task);
      if (closed.get()) {
        throw closedMeanwhile();
      }
      Thread.ofPlatform()
          .name("murmuration-tokenizer")
          .daemon()
          .start(
              () -> {
                try {
                  task.run();
                } finally {
                  places.release();
                }
              });
      begun = true;
      return task.get(deadline.remaining(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException e) {
      throw deadline.exceeded();
    } catch (CancellationException e) {
      throw closedMeanwhile();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof Error failure) {
        throw failure;
      }
      throw e.getCause() instanceof RuntimeException failure
          ? failure
          : new IllegalStateException(e.getCause());
    } finally {
      tasks.remove(task);
      if (!begun) {
        places.release();
      }
    }
  }

  private static IllegalStateException closedMeanwhile() {
    return new IllegalStateException(
        "the reward model was closed while this text was being tokenized");
  }

  @Override
  public void close() {
    // Once: a semaphore's places have an end, and closing again is allowed.
    if (closed.compareAndSet(false, true)) {
      tasks.forEach(task -> task.cancel(false));
      // Those who wait for a place find it closed.
      places.release(1 << 20);
    }
  }
}
