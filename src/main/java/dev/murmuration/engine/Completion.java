package dev.murmuration.engine;

import java.util.concurrent.CancellationException;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Function;

/**
 * Hands the answer to a request to a future. What others attach to the future may block or fail: it
 * runs on a virtual thread of its own, never on the engine's.
 */
public final class Completion<T> {
  /** How often it is tried to complete a future while the heap is full. */
  private static final int ATTEMPTS = 100;

  private final Function<double[], T> result;
  private final Executor threads;
  private final CompletableFuture<T> future = new CompletableFuture<>();
  private final CompletableFuture<Void> timer = new CompletableFuture<>();
  private final Request request;

  /**
   * @param result makes of the rewards, one or one a token, what the caller gets
   */
  public Completion(int[] tokens, boolean everyToken, Function<double[], T> result) {
    this(tokens, everyToken, result, Thread.ofVirtual().name("murmuration-completion")::start);
  }

  /**
   * @param threads runs a task on a thread of its own
   */
  public Completion(
      int[] tokens, boolean everyToken, Function<double[], T> result, Executor threads) {
    this.result = result;
    this.threads = threads;
    this.request = new Request(tokens, everyToken, this::answered);
  }

  public Request request() {
    return request;
  }

  /**
   * The future of a request that was submitted. Completing it in any way, say by {@code cancel},
   * withdraws the request, and so does the deadline.
   */
  public CompletableFuture<T> future(Engine engine, Deadline deadline) {
    var _ =
        future.whenComplete(
            (_, _) -> {
              if (request.isLive()) {
                engine.withdraw(request, new CancellationException("cancelled by its caller"));
              }
            });
    if (!deadline.isNever() && request.isLive()) {
      var _ =
          timer
              .orTimeout(Math.max(1, deadline.remaining()), TimeUnit.NANOSECONDS)
              .exceptionally(
                  failure -> {
                    if (failure instanceof TimeoutException) {
                      engine.withdraw(request, deadline.exceeded());
                    }
                    return null;
                  });
    }
    return future;
  }

  /** On the thread that answers. */
  private void answered() {
    try {
      timer.complete(null);
      if (!future.isDone()) {
        threads.execute(this::complete);
      }
    } catch (Throwable refused) {
      // There is no thread or no memory for one. Failing the future on this thread is better than
      // never answering.
      fail(refused);
    }
  }

  private void complete() {
    try {
      future.complete(result.apply(request.rewards()));
    } catch (Throwable failure) {
      fail(failure);
    }
  }

  private void fail(Throwable failure) {
    for (int attempt = 0; attempt < ATTEMPTS && !future.isDone(); attempt++) {
      try {
        future.completeExceptionally(failure);
      } catch (OutOfMemoryError e) {
        Thread.onSpinWait();
      }
    }
  }
}
