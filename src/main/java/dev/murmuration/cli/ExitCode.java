package dev.murmuration.cli;

/** How a command ends. The same numbers for all of them. */
public final class ExitCode {
  public static final int DONE = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;
  public static final int SOME_ROWS_FAILED = 3;

  private ExitCode() {}
}
