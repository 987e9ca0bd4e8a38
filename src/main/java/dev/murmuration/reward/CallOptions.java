package dev.murmuration.reward;

import java.time.Duration;
import java.util.Optional;

/**
 * How one call behaves. Immutable: each setter returns a changed copy.
 *
 * <p>A queue that is full makes a caller wait, up to the timeout; with {@link #waits}{@code
 * (false)} the call is refused at once instead.
 */
public final class CallOptions {
  private static final CallOptions DEFAULTS = new CallOptions(null, true);

  private final Duration timeout;
  private final boolean waits;

  private CallOptions(Duration timeout, boolean waits) {
    this.timeout = timeout;
    this.waits = waits;
  }

  /** {@return the model's timeout, and waiting while the queue is full} */
  public static CallOptions defaults() {
    return DEFAULTS;
  }

  /**
   * How long the call may take, in place of {@link RewardModelOptions#timeout}.
   *
   * @param value a positive duration
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is not positive
   */
  public CallOptions timeout(Duration value) {
    return new CallOptions(RewardModelOptions.requirePositive(value), waits);
  }

  /** {@return the timeout of the call; empty for the model's} */
  public Optional<Duration> timeout() {
    return Optional.ofNullable(timeout);
  }

  /**
   * Whether the call waits while the queue has no room for all its texts, or is refused with {@link
   * java.util.concurrent.RejectedExecutionException}.
   *
   * @param value whether it waits
   * @return a copy that differs in this
   */
  public CallOptions waits(boolean value) {
    return new CallOptions(timeout, value);
  }

  /** {@return whether the call waits while the queue is full} */
  public boolean waits() {
    return waits;
  }
}
