package dev.murmuration.cli;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.InvalidPathException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;
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
    Throwable failure = unwrap(thrown);
    if (failure instanceof WatchedOutput.ReaderGoneException) {
      return ExitCode.DONE;
    }
    terminal.err().println("murmur: " + oneLine(message(failure)));
    if (verbose) {
      thrown.printStackTrace(terminal.err());
    }
    return failure instanceof IllegalArgumentException || failure instanceof ParameterException
        ? ExitCode.WRONG_USAGE
        : ExitCode.FAILED;
  }

  /** The failure itself, without what other threads and frameworks wrap around it. */
  static Throwable unwrap(Throwable thrown) {
    Throwable failure = thrown;
    while (failure.getCause() != null
        && (failure.getCause() instanceof InvalidPathException
            || failure instanceof CommandLine.ExecutionException
            || failure instanceof CompletionException
            || failure instanceof ExecutionException
            || failure instanceof ExceptionInInitializerError)) {
      failure = failure.getCause();
    }
    return failure;
  }

  /**
   * What to tell a person. The messages of this project's own exceptions are made for that; the
   * JDK's are not always.
   */
  static String message(Throwable failure) {
    String said = failure.getMessage() == null ? "" : failure.getMessage();
    return switch (failure) {
      case ParameterException e -> usage(e);
      case NoSuchFileException e -> e.getFile() + " does not exist";
      case AccessDeniedException e -> e.getFile() + " may not be read or written by this user";
      case FileSystemException e when e.getReason() == null -> e.getFile() + " cannot be used";
      case InvalidPathException e ->
          "'"
              + e.getInput()
              + "' cannot be the name of a file where names are in "
              + System.getProperty("sun.jnu.encoding")
              + ", as this locale says; run murmur in a UTF-8 locale such as LC_ALL=C.UTF-8";
      case FileNotFoundException e -> said + "; is the name right?";
      case OutOfMemoryError e ->
          "out of memory ("
              + said
              + "); score shorter texts, or allow Java more, such as MURMUR_JAVA_OPTS=-Xmx4g";
      case IOException e when !said.isEmpty() -> said;
      case UncheckedIOException e -> said;
      case LinkageError e -> said.isEmpty() ? e.toString() : said;
      case RuntimeException e when !said.isEmpty() && !isBug(e) -> said;
      default -> "this should not have happened: " + failure + "; the option -v shows where";
    };
  }

  private static boolean isBug(RuntimeException e) {
    return e instanceof NullPointerException
        || e instanceof IndexOutOfBoundsException
        || e instanceof ClassCastException
        || e instanceof ArithmeticException;
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

  /**
   * Messages of llama.cpp, of picocli and of the system may have several lines, and what they quote
   * may hold lone surrogates, which cannot be written.
   */
  static String oneLine(String text) {
    return new String(text.getBytes(StandardCharsets.UTF_8), StandardCharsets.UTF_8)
        .strip()
        .replaceAll("\\s*[\\r\\n]+\\s*", "; ");
  }
}
