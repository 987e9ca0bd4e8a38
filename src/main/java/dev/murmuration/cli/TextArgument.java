package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.terminal.TextFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Stack;
import picocli.CommandLine.IParameterConsumer;
import picocli.CommandLine.Model.ArgSpec;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;

/**
 * A text that an option gives: as it stands, or by the name of a file, where {@code -} is standard
 * input.
 */
record TextArgument(String option, String text, String file) {
  static final String FILE_HELP =
      "The same from a file, - for standard input; a last line break is left out.";

  private boolean isStandardInput() {
    return file != null && TextFile.isStandardInput(file);
  }

  /**
   * Refuses arguments of which more than one would read standard input: the second would find
   * nothing there.
   */
  static void checkStandardInput(List<TextArgument> arguments) {
    List<String> readers =
        arguments.stream()
            .filter(TextArgument::isStandardInput)
            .map(argument -> argument.option() + " " + argument.file())
            .toList();
    if (readers.size() > 1) {
      throw new IllegalArgumentException(
          String.join(" and ", readers)
              + " cannot share standard input, which comes once; name a file for all but one of"
              + " them");
    }
  }

  String read(Terminal terminal) throws IOException {
    try {
      return text != null ? text : TextFile.read(file, terminal);
    } catch (NoSuchFileException e) {
      throw new IOException(file + " does not exist; " + option + " names a file with a text", e);
    }
  }

  /** The one argument of a list, null if it is empty. */
  static TextArgument single(List<TextArgument> arguments, String option) {
    if (arguments.size() > 1) {
      throw new IllegalArgumentException(
          option
              + " (or "
              + option
              + "-file) is given "
              + arguments.size()
              + " times; give it once");
    }
    return arguments.isEmpty() ? null : arguments.getFirst();
  }

  /**
   * Takes the next argument whatever it looks like: "-very short" is a response, though picocli
   * would see an option in it. Only a whole long option is refused, since then the text was
   * forgotten.
   */
  static final class Consumer implements IParameterConsumer {
    @Override
    public void consumeParameters(Stack<String> arguments, ArgSpec option, CommandSpec command) {
      String name = ((OptionSpec) option).longestName();
      if (arguments.isEmpty()) {
        throw new ParameterException(
            command.commandLine(), "the text after " + name + " is missing");
      }
      String text = arguments.pop();
      if (text.startsWith("--") && command.optionsMap().containsKey(text)) {
        throw new ParameterException(
            command.commandLine(),
            "the text after " + name + " is missing: " + text + " is an option, too");
      }
      option.setValue(text);
    }
  }
}
