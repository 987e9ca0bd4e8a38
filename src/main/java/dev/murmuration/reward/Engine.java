package dev.murmuration.reward;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The thread that owns the context, and the queue in front of it. Any thread may submit, withdraw
 * and close.
 *
 * <p>One thread, because llama.cpp allows one a context and a team of workers belongs to every
 * thread that computes; a platform thread, because a virtual one would change its carrier.
 *
 * <p>Every request is answered, whatever happens on that thread: what fails while a wave is
 * computed answers the wave, what fails elsewhere answers all who wait, and when the thread ends,
 * later callers are told why.
 */
final class Engine implements AutoCloseable {
  /** Long enough for a caller to wake, tokenize a short text and submit it. */
  private static final long WATCH_NANOS = 100_000;

  /** The share of a wave's time that is worth waiting for as many texts again. */
  private static final double GATHER = 0.02;

  private final Planner planner;
  private final int capacity;
  private final Consumer<Step> probe;
  private final Thread thread;
  private final CountDownLatch started = new CountDownLatch(1);

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Condition notFull = lock.newCondition();
  // Guarded by the lock.
  private final Queue<Request> waiting = new ArrayDeque<>();
  // The wave that is being computed; guarded by the lock.
  private List<Request> running = new ArrayList<>();
  // Always empty: what "running" becomes while the wave that it was is answered.
  private List<Request> spare = new ArrayList<>();
  // Guarded by the lock.
  private boolean closed;

  /** Why the thread ended before it was told to. Written under the lock, when it is closed. */
  private volatile Throwable death;

  // Of the last wave; used by the engine's thread alone.
  private int lastSize;
  private long gatherUntil;

  /** Whether something waits. Written under the lock; read without it, as a hint, by the engine. */
  private volatile boolean submitted;

  /**
   * The engine's thread writes it, before {@link #started}; others cancel with it, under the lock.
   */
  private LlamaContext context;

  /** Written before {@link #started} is counted down, and read after it. */
  private Scorer scorer;

  /** Why there is no context; written and read as {@link #scorer}. */
  private Throwable startFailure;

  /**
   * Starts the thread and waits until it has its context.
   *
   * @param staleCells see {@link Scorer}
   * @throws dev.murmuration.llama.LlamaException if the context cannot be created
   */
  Engine(
      LlamaModel model,
      ContextParameters parameters,
      ValueHead head,
      Planner planner,
      Options options,
      long staleCells) {
    this.planner = planner;
    this.capacity = options.queueCapacity();
    this.probe = options.probe();
    boolean exact = options.precision() == Precision.EXACT;
    this.thread =
        Thread.ofPlatform()
            .name("murmuration-engine")
            .daemon()
            .unstarted(
                () ->
                    run(
                        model,
                        parameters,
                        own -> new Scorer(own, head, planner, exact, staleCells, probe)));
    thread.start();
    boolean interrupted = false;
    for (boolean waited = false; !waited; ) {
      try {
        started.await();
        waited = true;
      } catch (InterruptedException e) {
        // The context is being created, and must not be left to nobody.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    switch (startFailure) {
      case null -> {}
      case RuntimeException failure -> throw failure;
      case Error failure -> throw failure;
      default -> throw new IllegalStateException(startFailure);
    }
  }

  /** What has been computed so far. */
  ScoringStatistics statistics() {
    return scorer.statistics();
  }

  // ---- the callers' side ----

  /**
   * Asks for rewards. Requests that are submitted together are computed together as far as they
   * fit. Waits while the queue is full. If it throws, none of them is computed.
   *
   * @throws IllegalStateException if the engine is closed or has ended
   * @throws CancellationException if the caller is interrupted while it waits
   * @throws ScoringTimeoutException if the deadline passes while it waits
   */
  void submit(List<Request> requests, Deadline deadline) {
    try {
      enqueue(requests, deadline);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      CancellationException cancelled =
          new CancellationException(
              "interrupted while waiting for a place in the queue of " + capacity);
      requests.forEach(request -> withdraw(request, cancelled));
      throw cancelled;
    } catch (RuntimeException | Error e) {
      requests.forEach(request -> withdraw(request, e));
      throw e;
    }
  }

  private void enqueue(List<Request> requests, Deadline deadline) throws InterruptedException {
    lock.lock();
    try {
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

  private IllegalStateException refusal() {
    return death == null
        ? new IllegalStateException("the reward model is closed")
        : new IllegalStateException(
            "the engine of this reward model ended, load it again: " + death, death);
  }

  /** Answers a request with a failure, unless it has an answer, and computes it no further. */
  void withdraw(Request request, Throwable why) {
    if (!request.fail(why)) {
      return;
    }
    lock.lock();
    try {
      if (waiting.remove(request)) {
        notFull.signal();
      } else if (!closed
          && running.contains(request)
          && running.stream().noneMatch(Request::isLive)) {
        context.cancel(true);
      }
    } finally {
      lock.unlock();
    }
  }

  // ---- the engine's thread ----

  private void run(
      LlamaModel model, ContextParameters parameters, Function<LlamaContext, Scorer> newScorer) {
    try (LlamaContext own = new LlamaContext(model, parameters)) {
      scorer = newScorer.apply(own);
      context = own;
      started.countDown();
      serveAll();
    } catch (Throwable failure) {
      startFailure = failure;
    } finally {
      started.countDown();
    }
  }

  private void serveAll() {
    Throwable cause = null;
    try {
      while (serve()) {
        // Until it is closed.
      }
    } catch (Throwable failure) {
      cause = failure;
    } finally {
      end(cause);
    }
  }

  /** Computes the next wave; false if there will be none. Fails only if there was no request. */
  private boolean serve() {
    boolean taken = false;
    try {
      List<Request> wave = take();
      if (wave.isEmpty()) {
        return false;
      }
      taken = true;
      long start = System.nanoTime();
      scorer.score(wave);
      long end = System.nanoTime();
      gatherUntil = end + (long) ((end - start) * GATHER);
      lastSize = wave.size();
      probe.accept(Step.SETTLE);
      settle(null, false);
      return true;
    } catch (Throwable failure) {
      // Whatever it is, it belongs to who asked; the engine goes on with the next ones. If nobody
      // asked, it would fail for ever.
      if (settle(failure, !taken) == 0) {
        throw failure;
      }
      return true;
    }
  }

  /** The requests that are computed next, which are then running; none when it is closed. */
  private List<Request> take() {
    probe.accept(Step.WAIT);
    awaitBriefly();
    lock.lock();
    try {
      while (true) {
        while (!closed && waiting.isEmpty()) {
          notEmpty.awaitUninterruptibly();
        }
        // While it waits for more, those who were there may withdraw.
        gather();
        if (closed) {
          return List.of();
        }
        probe.accept(Step.TAKE);
        for (int count = fitting(); count > 0; count--) {
          // Added before it is removed: should there be no memory for that, it is in one of both.
          running.add(waiting.peek());
          waiting.remove();
        }
        submitted = !waiting.isEmpty();
        notFull.signalAll();
        if (!running.isEmpty()) {
          return List.copyOf(running);
        }
      }
    } finally {
      lock.unlock();
    }
  }

  /** How many of those who wait are computed together. */
  private int fitting() {
    return waiting.isEmpty()
        ? 0
        : waiting.peek().everyToken()
            ? 1
            : planner.fitting(
                () ->
                    waiting.stream()
                        .takeWhile(request -> !request.everyToken())
                        .map(Request::tokens)
                        .iterator());
  }

  /**
   * Callers who got their rewards together come again together, if each of them scores in a loop:
   * waits until as many wait as there were, but no longer than a small share of the time that the
   * last wave took. Called under the lock.
   */
  private void gather() {
    long left = gatherUntil - System.nanoTime();
    try {
      while (!closed && waiting.size() < Math.min(lastSize, capacity) && left > 0) {
        left = notEmpty.awaitNanos(left);
      }
    } catch (InterruptedException e) {
      // Nobody interrupts this thread; it goes on with what is there.
      lastSize = 0;
    }
  }

  /**
   * Watches for the next request a moment before sleeping: who scores in a loop submits again
   * within it, and waking a thread costs more than the moment.
   */
  private void awaitBriefly() {
    long until = System.nanoTime() + WATCH_NANOS;
    while (!submitted && System.nanoTime() < until) {
      Thread.onSpinWait();
    }
  }

  /**
   * Ends a wave: answers who has no answer yet.
   *
   * @param failure what they are answered with, or null
   * @param all whether those who wait are answered as well
   * @return how many requests there were
   */
  private int settle(Throwable failure, boolean all) {
    boolean ended;
    List<Request> wave;
    lock.lock();
    try {
      wave = running;
      running = spare;
      spare = wave;
      ended = closed;
      if (!ended) {
        context.cancel(false);
      }
    } finally {
      lock.unlock();
    }
    int count = wave.size();
    for (int i = 0; i < wave.size(); i++) {
      answer(wave.get(i), failure, ended);
    }
    wave.clear();
    for (Request request; all && (request = poll()) != null; count++) {
      answer(request, failure, ended);
    }
    return count;
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

  private static IllegalStateException closedMeanwhile() {
    return new IllegalStateException(
        "the reward model was closed while this text was waiting or being scored");
  }

  /**
   * Refuses all later requests and answers the others.
   *
   * @param cause why, or null if it was closed
   */
  private void end(Throwable cause) {
    lock.lock();
    try {
      // First, and without allocating: from here on nobody waits for an engine that has ended.
      death = closed ? null : cause;
      closed = true;
      notFull.signalAll();
    } finally {
      lock.unlock();
    }
    settle(cause, true);
  }

  /**
   * Cancels what runs, fails what waits, and frees the context. Returns when that is done. Closing
   * twice is allowed.
   */
  @Override
  public void close() {
    lock.lock();
    try {
      if (!closed) {
        closed = true;
        context.cancel(true);
        notEmpty.signalAll();
        notFull.signalAll();
      }
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (Thread.currentThread() != thread && thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        // The context is still in use; it must be gone before the model is freed.
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
