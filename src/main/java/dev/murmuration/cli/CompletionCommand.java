package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import java.util.function.Supplier;
import picocli.AutoComplete;
import picocli.CommandLine;
import picocli.CommandLine.Command;

/** {@code murmur completion}. */
@Command(
    name = "completion",
    header = "Prints a script for completion in bash and zsh.",
    description = {
      "",
      "The script lets bash or zsh complete murmur's commands and options.",
      "",
      "Examples:",
      "  source <(murmur completion)",
      "  murmur completion > ~/.local/share/bash-completion/completions/murmur"
    })
final class CompletionCommand extends TerminalCommand {
  private final Supplier<CommandLine> all;

  /**
   * The command.
   *
   * @param all makes the model of all commands and their options
   */
  CompletionCommand(Terminal terminal, Supplier<CommandLine> all) {
    super(terminal);
    this.all = all;
  }

  @Override
  public Integer call() {
    terminal().out().print(AutoComplete.bash("murmur", all.get()));
    return ExitCode.DONE;
  }
}
