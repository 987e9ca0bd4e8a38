package dev.murmuration.reward;

import java.time.Duration;
import java.util.concurrent.TimeUnit;

/** The moment until which a call may take. Immutable. */
final class Deadline {
  /** For calls that may take as long as they need. */
  static final Deadline NEVER = new Deadline(null, 0, Long.MAX_VALUE);

  private final Duration timeout;
  private final long start;
  private final long nanos;

  private Deadline(Duration timeout, long start, long nanos) {
    this.timeout = timeout;
    this.start = start;
    this.nanos = nanos;
  }

  /** A timeout from this moment on; none if it is null. */
  static Deadline after(Duration timeout) {
    // Saturates: 292 years are as good as for ever.
    return timeout == null
        ? NEVER
        : new Deadline(timeout, System.nanoTime(), TimeUnit.NANOSECONDS.convert(timeout));
  }

  boolean isNever() {
    return nanos == Long.MAX_VALUE;
  }

  /** Nanoseconds that are left; zero or less when it has passed. */
  long remaining() {
    // A difference of nanoTime is right also where nanoTime itself wraps around.
    return isNever() ? Long.MAX_VALUE : nanos - (System.nanoTime() - start);
  }

  /** Throws {@link #exceeded} when it has passed. */
  void check() {
    if (remaining() <= 0) {
      throw exceeded();
    }
  }

  ScoringTimeoutException exceeded() {
    return new ScoringTimeoutException(timeout);
  }
}
