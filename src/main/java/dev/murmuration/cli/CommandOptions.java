package dev.murmuration.cli;

import java.lang.reflect.Member;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * Leaves each command the options that it uses. What it would ignore is neither in its help nor in
 * the completion, and is refused by name.
 */
final class CommandOptions {
  private CommandOptions() {}

  /** Takes from each subcommand the inherited options that it does not use. */
  static void apply(CommandLine top) {
    for (CommandLine command : top.getSubcommands().values()) {
      CommandSpec spec = command.getCommandSpec();
      for (OptionSpec option : List.copyOf(spec.options())) {
        String own = description(spec.userObject(), option);
        if (!uses(spec.userObject(), option)) {
          spec.remove(option);
        } else if (own != null) {
          spec.remove(option);
          spec.addOption(option.toBuilder().description(own).build());
        }
      }
    }
  }

  private static boolean uses(Object command, OptionSpec option) {
    if (from(option, ModelOptions.class)) {
      return command instanceof ModelOptions.User user
          && user.modelOptions().contains(option.longestName());
    }
    boolean printsJson = !(command instanceof HelpCommand || command instanceof CompletionCommand);
    return printsJson || !option.longestName().equals("--json");
  }

  private static String description(Object command, OptionSpec option) {
    return command instanceof ModelOptions.User user && from(option, ModelOptions.class)
        ? user.descriptions().get(option.longestName())
        : null;
  }

  /** Whether a mixin declares an option. */
  static boolean from(OptionSpec option, Class<?> group) {
    return option.userObject() instanceof Member member && member.getDeclaringClass() == group;
  }

  /**
   * Refuses what was given before the name of a command that does not use it.
   *
   * @throws ParameterException if there is such an option
   */
  static void check(ParseResult parsed) {
    if (!parsed.hasSubcommand()) {
      return;
    }
    CommandSpec command = parsed.subcommand().commandSpec();
    for (OptionSpec option : parsed.matchedOptions()) {
      if (!command.optionsMap().containsKey(option.longestName())) {
        CommandLine line = command.commandLine();
        throw new ParameterException(line, refusal(line, option.longestName()));
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

  /** That a command does not use an option, and which ones do; null if none does. */
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
