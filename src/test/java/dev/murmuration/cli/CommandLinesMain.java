package dev.murmuration.cli;

import java.util.Arrays;
import java.util.List;

/** Runs several command lines in one JVM, and says how each ended. */
final class CommandLinesMain {
  /** Between two command lines. */
  static final String NEXT = "//";

  private CommandLinesMain() {}

  /**
   * Runs them, and prints for each its exit code and what it wrote on standard error, on one line.
   *
   * @param arguments all command lines, {@link #NEXT} between them
   */
  public static void main(String[] arguments) {
    List<String> rest = Arrays.asList(arguments);
    while (!rest.isEmpty()) {
      int end = rest.contains(NEXT) ? rest.indexOf(NEXT) : rest.size();
      Cli result = Cli.run(rest.subList(0, end).toArray(String[]::new));
      System.out.println(result.code() + " " + result.err().strip().replace("\n", " | "));
      rest = rest.subList(Math.min(rest.size(), end + 1), rest.size());
    }
  }
}
