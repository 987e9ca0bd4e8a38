package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.terminal.WatchedOutput;
import dev.murmuration.cli.view.Wording;
import java.util.List;
import java.util.Set;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Turns whatever a command throws into one line on standard error and an exit code. */
final class Failures {
  private Failures() {}

  /**
   * Reports a failure.
   *
   * @param verbose whether the stack trace follows
   * @return the exit code
   */
  static int report(Throwable thrown, Terminal terminal, boolean verbose) {
    Throwable failure = Wording.unwrap(thrown);
    if (failure instanceof WatchedOutput.ReaderGoneException) {
      return ExitCode.DONE;
    }
    terminal.err().println("murmur: " + Wording.oneLine(message(failure)));
    if (verbose) {
      thrown.printStackTrace(terminal.err());
    }
    return failure instanceof IllegalArgumentException || failure instanceof ParameterException
        ? ExitCode.WRONG_USAGE
        : ExitCode.FAILED;
  }

  private static String message(Throwable failure) {
    return failure instanceof ParameterException e ? usage(e) : Wording.message(failure);
  }

  private static String usage(ParameterException e) {
    String said =
        switch (e) {
          case UnmatchedArgumentException unmatched -> unmatched(unmatched);
          default -> inWords(e.getMessage());
        };
    String help = "ee '" + e.getCommandLine().getCommandSpec().qualifiedName() + " --help'";
    return said + (said.endsWith("?") ? " S" : "; s") + help;
  }

  /** What picocli calls values by the names of Java's types. */
  private static String inWords(String said) {
    return said.replace("is not an int", "is not a whole number up to " + Integer.MAX_VALUE)
        .replace("is not a boolean", "is neither true nor false");
  }

  private static String unmatched(UnmatchedArgumentException e) {
    String argument = e.getUnmatched().getFirst();
    CommandSpec command = e.getCommandLine().getCommandSpec();
    if (argument.startsWith("-")) {
      String refusal = CommandOptions.refusal(e.getCommandLine(), argument);
      return refusal != null
          ? refusal
          : "no option '"
              + argument
              + "'"
              + meant(Suggestions.near(argument, command.optionsMap().keySet()), "");
    }
    if (command.parent() == null) {
      Set<String> names = command.subcommands().keySet();
      return "no command '"
          + argument
          + "'"
          + meant(Suggestions.near(argument, names), "; there are " + String.join(", ", names));
    }
    return "unexpected argument '"
        + argument
        + "'"
        + (command.optionsMap().containsKey("--prompt")
            ? "; texts are given with --prompt and --response"
            : "");
  }

  private static String meant(List<String> near, String otherwise) {
    return near.isEmpty() ? otherwise : "; did you mean " + String.join(" or ", near) + "?";
  }
}
