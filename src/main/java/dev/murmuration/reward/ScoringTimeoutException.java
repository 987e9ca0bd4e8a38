package dev.murmuration.reward;

import java.time.Duration;

/**
 * A call took longer than its timeout ({@link RewardModelOptions#timeout}, {@link
 * CallOptions#timeout}); its computation was cancelled. Calls throw it, and futures fail with it.
 */
public final class ScoringTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ScoringTimeoutException(Duration timeout) {
    super("no reward within " + text(timeout) + "; allow more time, or score shorter texts");
  }

  private static String text(Duration timeout) {
    return timeout.compareTo(Duration.ofMillis(1)) < 0
        ? timeout.toNanos() + " ns"
        : timeout.compareTo(Duration.ofMinutes(10)) < 0
            ? timeout.toMillis() + " ms"
            : timeout.toSeconds() + " s";
  }
}
