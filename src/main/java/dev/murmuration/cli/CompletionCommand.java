package dev.murmuration.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParentCommand;
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
final class CompletionCommand implements Callable<Integer> {
  @ParentCommand private Murmur murmur;
  @Spec private CommandSpec spec;

  @Override
  public Integer call() {
    murmur.terminal().out().print(AutoComplete.bash("murmur", spec.root().commandLine()));
    return ExitCode.DONE;
  }
}
