package dev.murmuration.springboot;

/** The application has no reward model, because of what its properties say. */
public final class RewardModelNotLoadedException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** What may be done about it. */
  private final String action;

  RewardModelNotLoadedException(String message, String action, Throwable cause) {
    super(message, cause);
    this.action = action;
  }

  /** {@return what may be done about it} */
  public String action() {
    return action;
  }
}
