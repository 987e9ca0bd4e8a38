package dev.murmuration.engine;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.ToIntFunction;

/**
 * Requests that wait, and the wave of them that is being computed. Any thread may submit, withdraw
 * and close; one thread, which computes, takes and settles.
 *
 * <p>No request is ever lost: until it has an answer it is among those that wait, or in the wave,
 * and {@link #settle} answers the wave, {@link #end} all.
 */
final class RequestQueue {
  /** More frames than locking, waiting and unlocking take. */
  private static final int FRAMES = 256;

  /** Stops the computation of the wave, or lets the next one begin. Called under the lock. */
  interface Cancellation {
    void set(boolean cancelled);
  }

  private final int capacity;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Condition notFull = lock.newCondition();
  // All guarded by the lock.
  private final Queue<Request> waiting = new ArrayDeque<>();
  private List<Request> wave = new ArrayList<>();
  // Always empty. It takes the place of "wave" when that wave is answered, without allocating.
  private List<Request> spare = new ArrayList<>();
  private Cancellation cancellation = _ -> {};
  private boolean closed;

  /** Why it was ended, if it was not closed before. Written under the lock. */
  private volatile Throwable death;

  /** Whether something waits. Written under the lock; read without it, as a hint. */
  private volatile boolean submitted;

  RequestQueue(int capacity) {
    this.capacity = capacity;
  }

  // ---- the callers' side ----

  /**
   * Adds requests, which are computed together as far as they fit. If it throws, none of them is
   * computed.
   *
   * @param waits whether to wait while the queue is full
   * @throws RejectedExecutionException if it has no room for all of them, and is not to wait
   * @throws IllegalStateException if it is closed or has ended
   * @throws CancellationException if the caller is interrupted while it waits
   * @throws RuntimeException the deadline's, if it passes while it waits
   */
  void submit(List<Request> requests, Deadline deadline, boolean waits) {
    int _ = requireStack(FRAMES);
    try {
      enqueue(requests, deadline, waits);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException(
              "interrupted while waiting for a place in the queue of " + capacity);
      requests.forEach(request -> withdraw(request, cancelled));
      throw cancelled;
    } catch (RejectedExecutionException e) {
      // None of them has a place, and looking for one would hold up the others.
      requests.forEach(request -> request.fail(e));
      throw e;
    } catch (RuntimeException | Error e) {
      requests.forEach(request -> withdraw(request, e));
      throw e;
    }
  }

  private void enqueue(List<Request> requests, Deadline deadline, boolean waits)
      throws InterruptedException {
    lock.lock();
    try {
      if (!waits && !closed && waiting.size() + requests.size() > capacity) {
        throw full(requests.size());
      }
      for (Request request : requests) {
        while (!closed && waiting.size() >= capacity) {
          long left = deadline.remaining();
          if (left <= 0) {
            throw deadline.exceeded();
          }
          // What this caller has put into the queue is to be computed meanwhile.
          submitted = true;
          notEmpty.signal();
          var _ = notFull.awaitNanos(left);
        }
        if (closed) {
          throw refusal();
        }
        waiting.add(request);
      }
      submitted = true;
      notEmpty.signal();
    } finally {
      lock.unlock();
    }
  }

  /**
   * Overflows a caller's stack here, if it is about to: under the lock the overflow would leave it
   * locked, and all others would wait for ever.
   */
  private static int requireStack(int frames) {
    return frames == 0 ? 0 : 1 + requireStack(frames - 1);
  }

  private RejectedExecutionException full(int count) {
    return new RejectedExecutionException(
        "the queue has room for "
            + (capacity - waiting.size())
            + " texts, and "
            + count
            + (count == 1 ? " was" : " were")
            + " submitted; its capacity is "
            + capacity
            + ": try again later, or wait for a place");
  }

  private IllegalStateException refusal() {
    return death == null
        ? new IllegalStateException("the reward model is closed")
        : new IllegalStateException(
            "the engine of this reward model ended, load it again: " + death, death);
  }

  /** Answers a request with a failure, unless it has an answer, and computes it no further. */
  void withdraw(Request request, Throwable why) {
    int _ = requireStack(FRAMES);
    if (!request.fail(why)) {
      return;
    }
    lock.lock();
    try {
      if (waiting.remove(request)) {
        notFull.signal();
      } else if (!closed && wave.contains(request) && wave.stream().noneMatch(Request::isLive)) {
        cancellation.set(true);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Refuses later requests and cancels the wave. Closing twice is allowed. */
  void close() {
    int _ = requireStack(FRAMES);
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        cancellation.set(true);
        notEmpty.signalAll();
        notFull.signalAll();
      }
    } finally {
      lock.unlock();
    }
  }

  /** Whether requests are still taken. */
  boolean isOpen() {
    lock.lock();
    try {
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  /** How many wait, those of the wave not counted. */
  int length() {
    lock.lock();
    try {
      return waiting.size();
    } finally {
      lock.unlock();
    }
  }

  // ---- the side of the thread that computes ----

  /** From now on a wave can be cancelled. */
  void begin(Cancellation how) {
    lock.lock();
    try {
      cancellation = how;
    } finally {
      lock.unlock();
    }
  }

  /**
   * Waits for requests and makes the next wave of them.
   *
   * @param fitting how many of those who wait, from the head, are computed together; at least one
   * @param wanted how many requests are waited for
   * @param until when waiting for more than one ends, by {@link System#nanoTime}
   * @return the wave; empty when it is closed
   */
  List<Request> take(ToIntFunction<Collection<Request>> fitting, int wanted, long until) {
    awaitBriefly();
    lock.lock();
    try {
      while (true) {
        while (!closed && waiting.isEmpty()) {
          notEmpty.awaitUninterruptibly();
        }
        // Requests can be withdrawn meanwhile, so there may be none left.
        gather(wanted, until);
        if (closed) {
          return List.of();
        }
        for (int count = waiting.isEmpty() ? 0 : fitting.applyAsInt(waiting); count > 0; count--) {
          // Added before it is removed: if there is no memory for adding, it is still in the queue.
          wave.add(waiting.peek());
          waiting.remove();
        }
        submitted = !waiting.isEmpty();
        notFull.signalAll();
        if (!wave.isEmpty()) {
          return List.copyOf(wave);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /**
   * Watches for the next request a moment before sleeping: who scores in a loop submits again
   * within it, and waking a thread costs more than the moment.
   */
  private void awaitBriefly() {
    long until = System.nanoTime() + Policy.WATCH_NANOS;
    while (!submitted && System.nanoTime() < until) {
      Thread.onSpinWait();
    }
  }

  private void gather(int wanted, long until) {
    long left = until - System.nanoTime();
    try {
      while (!closed && waiting.size() < Math.min(wanted, capacity) && left > 0) {
        left = notEmpty.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      // Nobody interrupts this thread on purpose; it goes on with what is there.
      return;
    }
  }

  /** Answers the requests for a text of the wave. */
  void answer(Result result) {
    for (Request request : result.text().requests()) {
      switch (result) {
        case Result.Rewards rewards -> request.complete(rewards.values());
        case Result.Failure failure -> request.fail(failure.cause());
      }
    }
  }

  /**
   * Ends the wave: answers who has no answer yet.
   *
   * @param failure what they are answered with; null if all that still wait for an answer have got
   *     one
   * @param all whether those who wait in the queue are answered as well
   * @return how many requests there were
   */
  int settle(Throwable failure, boolean all) {
    boolean ended;
    List<Request> settled;
    lock.lock();
    try {
      settled = wave;
      wave = spare;
      spare = settled;
      ended = closed;
      if (!ended) {
        cancellation.set(false);
      }
    } finally {
      lock.unlock();
    }
    int count = settled.size();
    for (int i = 0; i < settled.size(); i++) {
      answer(settled.get(i), failure, ended);
    }
    settled.clear();
    for (Request request; all && (request = poll()) != null; count++) {
      answer(request, failure, ended);
    }
    return count;
  }

  private Request poll() {
    lock.lock();
    try {
      Request request = waiting.poll();
      notFull.signal();
      return request;
    } finally {
      lock.unlock();
    }
  }

  private void answer(Request request, Throwable failure, boolean ended) {
    if (!request.isLive()) {
      return;
    }
    Throwable answer = failure;
    if (ended || failure == null) {
      try {
        answer = death == null ? closedMeanwhile() : refusal();
      } catch (OutOfMemoryError e) {
        answer = failure == null ? e : failure;
      }
    }
    request.fail(answer);
  }

  private static IllegalStateException closedMeanwhile() {
    return new IllegalStateException(
        "the reward model was closed while this text was waiting or being scored");
  }

  /**
   * Refuses all later requests and answers the others; nothing is cancelled afterwards.
   *
   * @param cause why, or null if it was closed
   */
  void end(Throwable cause) {
    lock.lock();
    try {
      // First, and without allocating: from here on nobody waits for a thread that has ended.
      death = closed ? null : cause;
      closed = true;
      notFull.signalAll();
    } finally {
      lock.unlock();
    }
    settle(cause, true);
  }
}
