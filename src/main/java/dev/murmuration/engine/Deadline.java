package dev.murmuration.engine;

import java.time.Duration;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;

/** The moment until which a call may take. Immutable. */
public final class Deadline {
  /** For calls that may take as long as they need. */
  public static final Deadline NEVER = new Deadline(null, null, 0, Long.MAX_VALUE);

  private final Duration timeout;
  private final Function<Duration, RuntimeException> failure;
  private final long start;
  private final long nanos;

  private Deadline(
      Duration timeout, Function<Duration, RuntimeException> failure, long start, long nanos) {
    this.timeout = timeout;
    this.failure = failure;
    this.start = start;
    this.nanos = nanos;
  }

  /**
   * A timeout from this moment on.
   *
   * @param timeout null for none
   * @param failure from the timeout to what is thrown when it has passed
   */
  public static Deadline after(Duration timeout, Function<Duration, RuntimeException> failure) {
    // Saturates: 292 years are as good as for ever.
    return timeout == null
        ? NEVER
        : new Deadline(timeout, failure, System.nanoTime(), TimeUnit.NANOSECONDS.convert(timeout));
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
  public void check() {
    if (remaining() <= 0) {
      throw exceeded();
    }
  }

  /** What a call that took too long fails with. */
  RuntimeException exceeded() {
    return failure.apply(timeout);
  }
}
