package dev.murmuration.reward;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The thread that owns the context, and the queue in front of it. Any thread may submit, withdraw
 * and close.
 *
 * <p>One thread, because llama.cpp allows one a context and a team of workers belongs to every
 * thread that computes; a platform thread, because a virtual one would change its carrier.
 */
final class Engine implements AutoCloseable {
  /** Long enough for a caller to wake, tokenize a short text and submit it. */
  private static final long WATCH_NANOS = 100_000;

  /** The share of a wave's time that is worth waiting for as many texts again. */
  private static final double GATHER = 0.02;

  private final Planner planner;
  private final int capacity;
  private final Thread thread;
  private final CompletableFuture<Void> started = new CompletableFuture<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Condition notFull = lock.newCondition();
  // All guarded by the lock.
  private final Queue<Request<?>> waiting = new ArrayDeque<>();
  // Those being computed for which somebody still waits.
  private final Set<Request<?>> running = Collections.newSetFromMap(new IdentityHashMap<>());
  private boolean closed;

  // Of the last wave; used by the engine's thread alone.
  private int lastSize;
  private long gatherUntil;

  /** Whether something waits. Written under the lock; read without it, as a hint, by the engine. */
  private volatile boolean submitted;

  /**
   * Written by the engine's thread; the others use it to cancel, under the lock, while it is open.
   */
  private LlamaContext context;

  /** Written before {@link #started} is completed, and read after it. */
  private Scorer scorer;

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
    boolean exact = options.precision() == Precision.EXACT;
    this.thread =
        Thread.ofPlatform()
            .name("murmuration-engine")
            .daemon()
            .unstarted(() -> run(model, parameters, head, exact, staleCells));
    thread.start();
    try {
      started.join();
    } catch (CompletionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      if (e.getCause() instanceof Error cause) {
        throw cause;
      }
      throw e;
    }
  }

  /** What has been computed so far. */
  ScoringStatistics statistics() {
    return scorer.statistics();
  }

  /**
   * Asks for rewards. Requests that are submitted together are computed together as far as they
   * fit. Waits while the queue is full.
   *
   * @throws IllegalStateException if the engine is closed
   * @throws CancellationException if the caller is interrupted while it waits
   */
  void submit(List<? extends Request<?>> requests) {
    for (Request<?> request : requests) {
      var _ = request.future().whenComplete((_, _) -> withdraw(request));
    }
    lock.lock();
    try {
      for (Request<?> request : requests) {
        while (!closed && waiting.size() >= capacity) {
          submitted = true;
          notEmpty.signal();
          notFull.await();
        }
        if (closed) {
          throw new IllegalStateException("the reward model is closed");
        }
        waiting.add(request);
      }
      submitted = true;
      notEmpty.signal();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException(
          "interrupted while waiting for a place in the queue of " + capacity);
    } finally {
      lock.unlock();
    }
  }

  private void withdraw(Request<?> request) {
    lock.lock();
    try {
      if (running.remove(request)) {
        if (running.isEmpty()) {
          context.cancel(true);
        }
      } else if (waiting.remove(request)) {
        notFull.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void run(
      LlamaModel model,
      ContextParameters parameters,
      ValueHead head,
      boolean exact,
      long staleCells) {
    try (LlamaContext own = new LlamaContext(model, parameters)) {
      scorer = new Scorer(own, head, planner, exact, staleCells);
      open(own);
      started.complete(null);
      List<Request<?>> wave = next();
      while (!wave.isEmpty()) {
        serve(wave);
        wave = next();
      }
    } catch (Throwable failure) {
      // Before it started the constructor tells; afterwards those who wait are told.
      if (!started.completeExceptionally(failure)) {
        abandon(new IllegalStateException("the engine ended: " + failure.getMessage(), failure));
      }
    }
  }

  private void open(LlamaContext own) {
    lock.lock();
    try {
      context = own;
    } finally {
      lock.unlock();
    }
  }

  /**
   * The requests that are computed next, which are then running; none when the engine is to end.
   */
  private List<Request<?>> next() {
    awaitBriefly();
    List<Request<?>> wave = new ArrayList<>();
    List<Request<?>> abandoned = new ArrayList<>();
    lock.lock();
    try {
      while (!closed && wave.isEmpty()) {
        while (!closed && waiting.isEmpty()) {
          notEmpty.awaitUninterruptibly();
        }
        // While it waits for more, those who were there may withdraw.
        gather();
        for (int count = fitting(); count > 0; count--) {
          wave.add(waiting.remove());
        }
      }
      if (closed) {
        abandoned.addAll(wave);
        abandoned.addAll(waiting);
        wave.clear();
        waiting.clear();
      }
      wave.stream().filter(Request::isLive).forEach(running::add);
      submitted = !waiting.isEmpty();
      notFull.signalAll();
    } finally {
      lock.unlock();
    }
    abandoned.forEach(request -> request.fail(closedWhileWaiting()));
    return wave;
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
   * waits for as many as there were, until a moment after they got them that does not matter.
   * Called under the lock.
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

  private static IllegalStateException closedWhileWaiting() {
    return new IllegalStateException(
        "the reward model was closed while this text was waiting or being scored");
  }

  private void serve(List<Request<?>> wave) {
    long start = System.nanoTime();
    Throwable failure = null;
    try {
      scorer.score(wave, outcome);
    } catch (Throwable t) {
      // Whatever it is, it belongs to who asked; the engine goes on with the next ones.
      failure = t;
    }
    long end = System.nanoTime();
    gatherUntil = end + (long) ((end - start) * GATHER);
    lastSize = wave.size();
    List<Request<?>> left;
    boolean ended;
    lock.lock();
    try {
      left = List.copyOf(running);
      running.clear();
      ended = closed;
      if (!closed) {
        context.cancel(false);
      }
    } finally {
      lock.unlock();
    }
    for (Request<?> request : left) {
      // Without a failure nobody is left but who withdrew a moment ago, and does not look.
      request.fail(
          ended ? closedWhileWaiting() : failure != null ? failure : new CancellationException());
    }
  }

  /** Hands out what became of requests; they are not running any more. */
  private final Scorer.Outcome outcome =
      new Scorer.Outcome() {
        @Override
        public void rewards(Request<?> request, double[] rewards) {
          end(request);
          request.complete(rewards);
        }

        @Override
        public void failure(Request<?> request, Throwable failure) {
          end(request);
          request.fail(failure);
        }
      };

  // First: completing the future withdraws it, which must not cancel the others.
  private void end(Request<?> request) {
    lock.lock();
    try {
      running.remove(request);
    } finally {
      lock.unlock();
    }
  }

  private void abandon(RuntimeException failure) {
    List<Request<?>> abandoned;
    lock.lock();
    try {
      closed = true;
      abandoned = new ArrayList<>(waiting);
      abandoned.addAll(running);
      waiting.clear();
      notFull.signalAll();
    } finally {
      lock.unlock();
    }
    abandoned.forEach(request -> request.fail(failure));
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
