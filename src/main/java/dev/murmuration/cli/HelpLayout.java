package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * Shows a command's own options first, then those of the model, then those of every command, each
 * under a heading.
 */
final class HelpLayout {
  private HelpLayout() {}

  /** Sets it for a command and its subcommands. */
  static void apply(CommandLine command, Terminal terminal) {
    command.setUsageHelpAutoWidth(false);
    command.setUsageHelpWidth(Math.clamp(terminal.columns(), 60, 100));
    command.setUsageHelpLongOptionsMaxWidth(28);
    command.setColorScheme(
        Help.defaultColorScheme(terminal.colour() ? Help.Ansi.ON : Help.Ansi.OFF));
    setRenderers(command);
    List<String> sections = new ArrayList<>(command.getHelpSectionKeys());
    // What can be done comes before how.
    List<String> commands =
        List.of(
            UsageMessageSpec.SECTION_KEY_COMMAND_LIST_HEADING,
            UsageMessageSpec.SECTION_KEY_COMMAND_LIST);
    sections.removeAll(commands);
    sections.addAll(sections.indexOf(UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING), commands);
    command.setHelpSectionKeys(sections);
    command.getSubcommands().values().forEach(HelpLayout::setRenderers);
  }

  private static void setRenderers(CommandLine command) {
    command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST_HEADING, help -> "");
    command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_OPTION_LIST, HelpLayout::options);
    command
        .getHelpSectionMap()
        .put(UsageMessageSpec.SECTION_KEY_SYNOPSIS_HEADING, help -> String.format("%nUsage: "));
    command.getHelpSectionMap().put(UsageMessageSpec.SECTION_KEY_SYNOPSIS, HelpLayout::synopsis);
    command
        .getHelpSectionMap()
        .put(
            UsageMessageSpec.SECTION_KEY_PARAMETER_LIST_HEADING,
            help ->
                help.commandSpec().positionalParameters().isEmpty()
                    ? ""
                    : String.format("%nArguments:%n"));
    if (command.getCommandSpec().userObject() instanceof QuantizeCommand) {
      // Made when it is shown: other commands need not load the types.
      command
          .getHelpSectionMap()
          .put(UsageMessageSpec.SECTION_KEY_FOOTER, help -> QuantizationTypes.list(help));
    }
  }

  private static String synopsis(Help help) {
    // picocli's own would list all the options; they are described below, and the examples show how
    // they are used.
    Object command = help.commandSpec().userObject();
    String arguments =
        command instanceof Murmur
            ? " COMMAND [OPTIONS]"
            : command instanceof ScoreCommand ? " [-] [OPTIONS]" : required(help) + " [OPTIONS]";
    return help.commandSpec().qualifiedName() + arguments + System.lineSeparator();
  }

  private static String required(Help help) {
    return help.commandSpec().positionalParameters().stream()
        .filter(argument -> argument.arity().min() > 0)
        .map(argument -> " " + argument.paramLabel())
        .collect(Collectors.joining());
  }

  private static String options(Help help) {
    Object command = help.commandSpec().userObject();
    boolean usesModel = command instanceof ModelCommand || command instanceof Murmur;
    return section(
            help,
            "Options:",
            option ->
                !CommandOptions.from(option, GeneralOptions.class)
                    && (!usesModel || !CommandOptions.from(option, ModelOptions.class)))
        + section(
            help, "Model:", option -> usesModel && CommandOptions.from(option, ModelOptions.class))
        + section(
            help, "Every command:", option -> CommandOptions.from(option, GeneralOptions.class));
  }

  private static String section(Help help, String heading, Predicate<OptionSpec> chosen) {
    List<OptionSpec> options =
        help.commandSpec().options().stream()
            .filter(option -> !option.hidden())
            .filter(chosen)
            // Methods come in no particular order; fields do, and have none set.
            .sorted(Comparator.comparingInt(OptionSpec::order))
            .toList();
    if (options.isEmpty()) {
      return "";
    }
    Help.Layout layout = help.createDefaultLayout(options, List.of(), help.colorScheme());
    layout.addOptions(options, help.parameterLabelRenderer());
    return System.lineSeparator() + heading + System.lineSeparator() + layout;
  }
}
