package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Spec;

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
  @Spec private CommandSpec spec;

  CompletionCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() {
    terminal().out().print(AutoComplete.bash("murmur", spec.root().commandLine()));
    return ExitCode.DONE;
  }
}
