package dev.murmuration.reward;

import java.time.Duration;
import java.util.Optional;
import java.util.function.Consumer;

/**
 * How one call behaves. Immutable: each setter returns a changed copy.
 *
 * <p>A queue that is full makes a caller wait, up to the timeout; with {@link #waits}{@code
 * (false)} the call is refused at once instead.
 */
public final class CallOptions {
  private static final CallOptions DEFAULTS = new CallOptions();

  private Duration timeout;
  private boolean waits = true;
  private Boolean literal;
  private int contextLength;
  private Boolean cutLeft;
  private long totalTokens = Long.MAX_VALUE;

  private CallOptions() {}

  private CallOptions with(Consumer<CallOptions> change) {
    CallOptions copy = new CallOptions();
    copy.timeout = timeout;
    copy.waits = waits;
    copy.literal = literal;
    copy.contextLength = contextLength;
    copy.cutLeft = cutLeft;
    copy.totalTokens = totalTokens;
    change.accept(copy);
    return copy;
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
    return with(o -> o.timeout = RewardModelOptions.requirePositive(value));
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
    return with(o -> o.waits = value);
  }

  /** {@return whether the call waits while the queue is full} */
  public boolean waits() {
    return waits;
  }

  /**
   * Whether marks inside the texts of this call, such as {@code </s>}, are text, in place of {@link
   * RewardModelOptions#literal}.
   *
   * @param value whether they are text
   * @return a copy that differs in this
   */
  public CallOptions literal(boolean value) {
    return with(o -> o.literal = value);
  }

  /** {@return whether marks inside texts are text; empty for what the model's options say} */
  public Optional<Boolean> literal() {
    return Optional.ofNullable(literal);
  }

  /**
   * The most tokens scored of a text of this call, if they are fewer than {@link
   * RewardModel#contextLength}. A longer text is cut or refused, as {@link
   * RewardModelOptions#truncate} says.
   *
   * @param value tokens, at least 1
   * @return a copy that differs in this
   * @throws IllegalArgumentException if it is less than 1
   */
  public CallOptions contextLength(int value) {
    if (value < 1) {
      throw new IllegalArgumentException("contextLength is " + value + "; the least is 1");
    }
    return with(o -> o.contextLength = value);
  }

  /** {@return the most tokens scored of a text; 0 for as many as the model allows} */
  public int contextLength() {
    return contextLength;
  }

  /**
   * On which side a text of this call is cut that is too long, in place of the side that the model
   * file names.
   *
   * @param value whether it loses its beginning, or else its end
   * @return a copy that differs in this
   */
  public CallOptions cutLeft(boolean value) {
    return with(o -> o.cutLeft = value);
  }

  /** {@return whether a text that is too long loses its beginning; empty for the file's side} */
  public Optional<Boolean> cutLeft() {
    return Optional.ofNullable(cutLeft);
  }

  /**
   * The most tokens of all texts of this call together, after each is cut; no limit by default. A
   * call with more is refused before anything is computed.
   *
   * @param value tokens
   * @return a copy that differs in this
   */
  public CallOptions totalTokens(long value) {
    return with(o -> o.totalTokens = value);
  }

  /** {@return the most tokens of all texts together} */
  public long totalTokens() {
    return totalTokens;
  }
}
