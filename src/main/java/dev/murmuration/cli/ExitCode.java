package dev.murmuration.cli;

/** How a command ends. The same numbers for all of them. */
final class ExitCode {
  static final int DONE = 0;
  static final int FAILED = 1;
  static final int WRONG_USAGE = 2;
  static final int SOME_ROWS_FAILED = 3;

  private ExitCode() {}
}
