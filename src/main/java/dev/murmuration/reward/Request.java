package dev.murmuration.reward;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.ForkJoinPool;
import java.util.function.Function;

/**
 * A text to be computed, and who waits for it. {@code T} is what its rewards become. Any thread may
 * complete it; the first one counts.
 */
final class Request<T> {
  private final int[] tokens;
  private final boolean everyToken;
  private final Function<double[], T> result;
  private final Executor completer;
  private final CompletableFuture<T> future = new CompletableFuture<>();

  /**
   * @param tokens token ids, at least one, as many as the context allows
   * @param everyToken whether the reward at every token is asked for, or at the last one alone
   * @param async whether the future is completed on the common pool, for callers that attach their
   *     own work to it; otherwise on the engine's thread
   * @param result makes of the rewards, one or one a token, what the caller gets
   */
  Request(int[] tokens, boolean everyToken, boolean async, Function<double[], T> result) {
    this.tokens = tokens;
    this.everyToken = everyToken;
    this.result = result;
    this.completer = async ? ForkJoinPool.commonPool() : Runnable::run;
  }

  int[] tokens() {
    return tokens;
  }

  boolean everyToken() {
    return everyToken;
  }

  /**
   * Completing it in any way, say by {@code cancel} or {@code orTimeout}, withdraws the request.
   */
  CompletableFuture<T> future() {
    return future;
  }

  /** Whether somebody still waits. */
  boolean isLive() {
    return !future.isDone();
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
