package dev.murmuration.server;

import dev.murmuration.reward.NonFiniteRewardException;
import dev.murmuration.reward.ScoringTimeoutException;
import dev.murmuration.server.protocol.RequestFailure;
import java.util.concurrent.CancellationException;
import java.util.concurrent.RejectedExecutionException;

/**
 * What a client is told of what went wrong.
 *
 * @param status of HTTP
 * @param field of the request that is to blame, or null
 * @param retryAfter seconds after which it may go better, or 0
 * @param unexpected whether it is a fault of this program
 */
record Failure(int status, String message, String field, int retryAfter, boolean unexpected) {
  private Failure(int status, String message) {
    this(status, message, null, 0, false);
  }

  /**
   * From what was thrown.
   *
   * @param ownTimeout whether the client gave a time limit of its own
   * @param closing whether the server ends
   */
  static Failure of(Throwable thrown, boolean ownTimeout, boolean closing) {
    return switch (thrown) {
      case RequestFailure failure ->
          new Failure(
              failure.status(), failure.getMessage(), failure.field(), retry(failure), false);
      case IllegalArgumentException e -> new Failure(400, e.getMessage());
      case RejectedExecutionException e -> new Failure(429, e.getMessage(), null, 1, false);
      case ScoringTimeoutException e when ownTimeout -> new Failure(504, e.getMessage());
      case ScoringTimeoutException e ->
          new Failure(503, "the server is too busy: " + e.getMessage(), null, 5, false);
      case NonFiniteRewardException e -> new Failure(500, e.getMessage());
      case CancellationException e when closing ->
          new Failure(
              503, "the server ends; ask another one, or this one when it is back", null, 5, false);
      case IllegalStateException e when closing ->
          new Failure(
              503, "the server ends; ask another one, or this one when it is back", null, 5, false);
      case OutOfMemoryError e ->
          new Failure(
              503,
              "the server has no memory for this; send less at once, or start it with more, such as"
                  + " MURMUR_JAVA_OPTS=-Xmx4g",
              null,
              5,
              true);
      default ->
          new Failure(500, "the server failed on this request; its log says how", null, 0, true);
    };
  }

  private static int retry(RequestFailure failure) {
    return failure.status() == 429 || failure.status() == 503 ? 1 : 0;
  }
}
