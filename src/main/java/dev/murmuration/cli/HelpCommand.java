package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;
import picocli.CommandLine.UnmatchedArgumentException;

/**
 * {@code murmur help}. picocli's own command of this name cannot stand beside a {@code -h} that all
 * commands inherit.
 */
@Command(
    name = "help",
    header = "Explains a command.",
    description = {"", "The same as COMMAND --help; without a command, what there is."})
final class HelpCommand extends TerminalCommand {
  @Spec private CommandSpec spec;

  @Parameters(arity = "0..1", paramLabel = "COMMAND", description = "The command to explain.")
  private String name;

  HelpCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() {
    CommandLine top = spec.root().commandLine();
    CommandLine shown = name == null ? top : top.getSubcommands().get(name);
    if (shown == null) {
      throw new UnmatchedArgumentException(top, List.of(name));
    }
    shown.usage(terminal().out());
    return ExitCode.DONE;
  }
}
