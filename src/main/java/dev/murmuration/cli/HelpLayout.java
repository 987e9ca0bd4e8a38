package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Model.UsageMessageSpec;

/**
 * Shows a command's own options first, then those of the model, then those of every command, each
 * under a heading.
 */
final class HelpLayout {
  /** Options of the model have an order from here on. */
  static final int MODEL = 100;

  /** Options of every command have an order from here on. */
  static final int EVERY_COMMAND = 200;

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
  }

  private static String synopsis(Help help) {
    // picocli's own would list all the options; they are described below, and the examples show how
    // they are used.
    CommandSpec command = help.commandSpec();
    String[] own = command.usageMessage().customSynopsis();
    String arguments = own.length > 0 ? " " + own[0] : required(help) + " [OPTIONS]";
    return help.commandSpec().qualifiedName() + arguments + System.lineSeparator();
  }

  private static String required(Help help) {
    return help.commandSpec().positionalParameters().stream()
        .filter(argument -> argument.arity().min() > 0)
        .map(argument -> " " + argument.paramLabel())
        .collect(Collectors.joining());
  }

  private static String options(Help help) {
    // Where no model is loaded, the few options of a model are the command's own.
    int model = help.commandSpec().findOption("--model") == null ? EVERY_COMMAND : MODEL;
    return section(help, "Options:", Integer.MIN_VALUE, model)
        + section(help, "Model:", model, EVERY_COMMAND)
        + section(help, "Every command:", EVERY_COMMAND, Integer.MAX_VALUE);
  }

  private static String section(Help help, String heading, int from, int to) {
    List<OptionSpec> options =
        help.commandSpec().options().stream()
            .filter(option -> !option.hidden())
            .filter(option -> option.order() >= from && option.order() < to)
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
