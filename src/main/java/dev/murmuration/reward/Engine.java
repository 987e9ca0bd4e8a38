package dev.murmuration.reward;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Function;

/**
 * The thread that owns the context, and the queue in front of it. Any thread may submit, withdraw
 * and close.
 *
 * <p>One thread, because llama.cpp allows one a context and OpenMP keeps a team of workers for
 * every thread that computes; a platform thread, because a virtual one would change its carrier.
 */
final class Engine implements AutoCloseable {
  /** A sequence to compute. {@code T} is what its rewards become. */
  private static final class Request<T> {
    final int[] tokens;
    final boolean everyToken;
    final Function<double[], T> result;
    final CompletableFuture<T> future = new CompletableFuture<>();
    final Executor completer;

    Request(int[] tokens, boolean everyToken, Function<double[], T> result, Executor completer) {
      this.tokens = tokens;
      this.everyToken = everyToken;
      this.result = result;
      this.completer = completer;
    }

    void complete(double[] rewards) {
      completer.execute(
          () -> {
            try {
              future.complete(result.apply(rewards));
            } catch (RuntimeException e) {
              future.completeExceptionally(e);
            }
          });
    }

    void fail(Throwable failure) {
      completer.execute(() -> future.completeExceptionally(failure));
    }
  }

  /** Long enough for a caller to wake, tokenize a short text and submit it. */
  private static final long WATCH_NANOS = 100_000;

  private final ValueHead head;
  private final Planner planner;
  private final int capacity;
  private final Thread thread;
  private final CompletableFuture<Void> started = new CompletableFuture<>();

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition notEmpty = lock.newCondition();
  private final Condition notFull = lock.newCondition();
  // All guarded by the lock.
  private final Queue<Request<?>> waiting = new ArrayDeque<>();
  private Request<?> running;
  private boolean closed;

  /** Whether something waits. Written under the lock; read without it, as a hint, by the engine. */
  private volatile boolean submitted;

  /**
   * Written by the engine's thread; the others use it to cancel, under the lock, while it is open.
   */
  private LlamaContext context;

  /**
   * Starts the thread and waits until it has its context.
   *
   * @param capacity how many requests may wait
   * @throws dev.murmuration.llama.LlamaException if the context cannot be created
   */
  Engine(
      LlamaModel model,
      ContextParameters parameters,
      ValueHead head,
      Planner planner,
      int capacity) {
    this.head = head;
    this.planner = planner;
    this.capacity = capacity;
    this.thread =
        Thread.ofPlatform()
            .name("murmuration-engine")
            .daemon()
            .unstarted(() -> run(model, parameters));
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

  /**
   * Asks for the reward at the last token, or at every one. Waits while the queue is full.
   *
   * <p>Completing the future in any way, say by {@code cancel} or {@code orTimeout}, withdraws the
   * request.
   *
   * @param async whether the future is completed on the common pool, for callers that attach their
   *     own work to it; otherwise on the engine's thread
   * @throws IllegalStateException if the engine is closed
   * @throws CancellationException if the caller is interrupted while it waits
   */
  <T> CompletableFuture<T> submit(
      int[] tokens, boolean everyToken, boolean async, Function<double[], T> result) {
    Executor completer = async ? ForkJoinPool.commonPool() : Runnable::run;
    Request<T> request = new Request<>(tokens, everyToken, result, completer);
    lock.lock();
    try {
      while (!closed && waiting.size() >= capacity) {
        notFull.await();
      }
      if (closed) {
        throw new IllegalStateException("the reward model is closed");
      }
      waiting.add(request);
      submitted = true;
      notEmpty.signal();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancellationException(
          "interrupted while waiting for a place in the queue of " + capacity);
    } finally {
      lock.unlock();
    }
    var _ = request.future.whenComplete((_, _) -> withdraw(request));
    return request.future;
  }

  private void withdraw(Request<?> request) {
    lock.lock();
    try {
      if (running == request) {
        context.cancel(true);
      } else if (waiting.remove(request)) {
        notFull.signal();
      }
    } finally {
      lock.unlock();
    }
  }

  private void run(LlamaModel model, ContextParameters parameters) {
    try (LlamaContext own = new LlamaContext(model, parameters)) {
      open(own);
      started.complete(null);
      for (Request<?> request; (request = next()) != null; ) {
        serve(request);
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

  /** The next request, which is then running; null when the engine is to end. */
  private Request<?> next() {
    awaitBriefly();
    List<Request<?>> abandoned = new ArrayList<>();
    lock.lock();
    try {
      while (!closed && waiting.isEmpty()) {
        notEmpty.awaitUninterruptibly();
      }
      if (!closed) {
        running = waiting.remove();
        submitted = !waiting.isEmpty();
        notFull.signal();
        return running;
      }
      abandoned.addAll(waiting);
      waiting.clear();
      notFull.signalAll();
    } finally {
      lock.unlock();
    }
    abandoned.forEach(request -> request.fail(closedWhileWaiting()));
    return null;
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

  private void serve(Request<?> request) {
    double[] rewards = null;
    // Seen by nobody if the request was withdrawn: its future is complete then.
    Throwable failure = new CancellationException("withdrawn");
    try {
      if (!request.future.isDone()) {
        rewards = compute(request);
      }
    } catch (Throwable t) {
      // Whatever it is, it belongs to who asked; the engine goes on with the next one.
      failure = t;
    }
    boolean ended;
    lock.lock();
    try {
      // First: completing the future withdraws it, which must not hit the next request.
      running = null;
      ended = closed;
      if (!closed) {
        context.cancel(false);
      }
    } finally {
      lock.unlock();
    }
    if (rewards != null) {
      request.complete(rewards);
    } else {
      request.fail(ended ? closedWhileWaiting() : failure);
    }
  }

  private double[] compute(Request<?> request) {
    int[] tokens = request.tokens;
    double[] rewards = new double[request.everyToken ? tokens.length : 1];
    context.clear();
    for (Planner.Decode decode :
        request.everyToken ? planner.every(tokens.length) : planner.last(tokens.length)) {
      for (int i = decode.from(); i < decode.to() + decode.fillers(); i++) {
        boolean output = i >= decode.outputFrom() && i < decode.outputTo();
        context.add(tokens[Math.min(i, tokens.length - 1)], output, 0);
      }
      float[] states = context.decode();
      if (request.everyToken) {
        for (int i = decode.from(); i < decode.to(); i++) {
          rewards[i] = head.reward(states, i - decode.outputFrom());
        }
      } else if (decode.to() == tokens.length) {
        rewards[0] = head.reward(states, tokens.length - 1 - decode.outputFrom());
      }
    }
    return rewards;
  }

  private void abandon(RuntimeException failure) {
    List<Request<?>> abandoned;
    lock.lock();
    try {
      closed = true;
      abandoned = new ArrayList<>(waiting);
      if (running != null) {
        abandoned.add(running);
      }
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
        if (running != null) {
          context.cancel(true);
        }
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
