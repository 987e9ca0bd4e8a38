package dev.murmuration.jinja;

/** A template that cannot be read or rendered; the message is for whoever chose the template. */
public final class JinjaException extends RuntimeException {
  private static final long serialVersionUID = 1;

  private final boolean raised;

  JinjaException(String message) {
    this(message, false);
  }

  private JinjaException(String message, boolean raised) {
    super(message);
    this.raised = raised;
  }

  static JinjaException at(int line, String message) {
    return new JinjaException("line " + line + ": " + message);
  }

  static JinjaException raised(String message) {
    return new JinjaException(message, true);
  }

  /** Whether the template itself refuses its input, with {@code raise_exception}. */
  public boolean isRaised() {
    return raised;
  }
}
