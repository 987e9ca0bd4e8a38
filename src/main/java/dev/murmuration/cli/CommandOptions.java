package dev.murmuration.cli;

import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * A command has the options that it uses. All others are refused by name, before and behind the
 * command's.
 */
final class CommandOptions {
  private CommandOptions() {}

  /**
   * Gives a command the options that stand before its name, unless they stand behind it as well.
   *
   * @throws UnmatchedArgumentException if it does not use one of them
   */
  static void handDown(ParseResult parsed) {
    if (!parsed.hasSubcommand()) {
      return;
    }
    CommandSpec command = parsed.subcommand().commandSpec();
    for (OptionSpec given : parsed.matchedOptions()) {
      OptionSpec own = command.findOption(given.longestName());
      if (own == null) {
        throw new UnmatchedArgumentException(command.commandLine(), List.of(given.longestName()));
      }
      if (!parsed.subcommand().hasMatchedOption(own)) {
        Object value = given.getValue();
        own.setValue(own.isMultiValue() ? List.of(String.valueOf(value)) : value);
      }
    }
  }

  /**
   * The failure that is worth reporting: a parameter that is missing may be so because the value of
   * an option that the command does not have was taken for another one.
   */
  static ParameterException cause(ParameterException failure, String... arguments) {
    if (failure instanceof MissingParameterException) {
      for (String argument : arguments) {
        if (argument.startsWith("-")
            && !failure.getCommandLine().getCommandSpec().optionsMap().containsKey(argument)
            && refusal(failure.getCommandLine(), argument) != null) {
          return new UnmatchedArgumentException(failure.getCommandLine(), List.of(argument));
        }
      }
    }
    return failure;
  }

  /**
   * That a command does not use an option, and which ones do; null if none does. All commands must
   * be there with their options.
   */
  static String refusal(CommandLine command, String argument) {
    String option = argument.replaceFirst("=.*", "");
    CommandLine top = command.getCommandSpec().root().commandLine();
    List<String> users =
        top.getSubcommands().entrySet().stream()
            .filter(entry -> entry.getValue().getCommandSpec().optionsMap().containsKey(option))
            .map(entry -> entry.getKey())
            .toList();
    if (users.isEmpty()) {
      return null;
    }
    String named = String.join(", ", users);
    return command.getParent() == null
        ? option + " stands behind the name of a command: " + named
        : command.getCommandName() + " does not use " + option + "; it is an option of " + named;
  }
}
