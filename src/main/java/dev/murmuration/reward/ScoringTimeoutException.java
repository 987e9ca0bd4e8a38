package dev.murmuration.reward;

import java.time.Duration;

/** A reward was not there within {@link Options#timeout}; its computation was cancelled. */
public final class ScoringTimeoutException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  ScoringTimeoutException(Duration timeout) {
    super(
        "no reward within " + timeout.toMillis() + " ms; allow more time, or score shorter texts");
  }
}
