package dev.murmuration.engine;

import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;

/**
 * A text to be computed, and the answer to it: rewards or a failure. Any thread may answer; the
 * first answer counts. Answering allocates nothing, so that it works on a full heap, too.
 */
public final class Request {
  private final int[] tokens;
  private final boolean everyToken;
  private final Runnable listener;
  // A double[] or a Throwable.
  private final AtomicReference<Object> answer = new AtomicReference<>();

  /** Who waits; written by that thread before it looks for the answer, read behind the answer. */
  private volatile Thread waiter;

  /** A request that one thread waits for. */
  public Request(int[] tokens, boolean everyToken) {
    this(tokens, everyToken, () -> {});
  }

  /**
   * @param tokens token ids, at least one, as many as the context allows
   * @param everyToken whether the reward at every token is asked for, or at the last one alone
   * @param listener run once, when there is an answer, on the thread that answers; throws nothing
   */
  Request(int[] tokens, boolean everyToken, Runnable listener) {
    this.tokens = tokens;
    this.everyToken = everyToken;
    this.listener = listener;
  }

  int[] tokens() {
    return tokens;
  }

  boolean everyToken() {
    return everyToken;
  }

  /** Whether it has no answer yet. */
  boolean isLive() {
    return answer.get() == null;
  }

  /** Answers with the rewards: one, or one a token. Whether this was the first answer. */
  public boolean complete(double[] rewards) {
    return answer(rewards);
  }

  /** Answers with a failure. Whether this was the first answer. */
  boolean fail(Throwable failure) {
    return answer(failure);
  }

  private boolean answer(Object value) {
    if (!answer.compareAndSet(null, value)) {
      return false;
    }
    LockSupport.unpark(waiter);
    listener.run();
    return true;
  }

  /** Waits for the answer; whether it came before the deadline. One thread alone may wait. */
  boolean await(Deadline deadline) throws InterruptedException {
    waiter = Thread.currentThread();
    while (isLive()) {
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
      long left = deadline.remaining();
      if (left <= 0) {
        return false;
      }
      if (deadline.isNever()) {
        LockSupport.park(this);
      } else {
        LockSupport.parkNanos(this, left);
      }
    }
    return true;
  }

  /** The failure that it was answered with, or null. */
  Throwable failure() {
    return answer.get() instanceof Throwable failure ? failure : null;
  }

  /**
   * The rewards that it was answered with; otherwise throws the failure.
   *
   * @throws IllegalStateException if it has no answer, or around a checked exception
   */
  double[] rewards() {
    return switch (answer.get()) {
      case double[] rewards -> rewards;
      case RuntimeException failure -> throw failure;
      case Error failure -> throw failure;
      case Throwable failure -> throw new IllegalStateException(failure);
      case null, default -> throw new IllegalStateException("this text has not been scored yet");
    };
  }
}
