package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.llama.Llama;
import java.util.concurrent.Callable;
import picocli.CommandLine.Mixin;

/** A command: where it reads and writes, and the options that all commands take. */
abstract class TerminalCommand implements Callable<Integer> {
  @Mixin private final GeneralOptions general = new GeneralOptions();
  private final Terminal terminal;

  TerminalCommand(Terminal terminal) {
    this.terminal = terminal;
  }

  Terminal terminal() {
    return terminal;
  }

  /** Whether there is somebody to look at a bar; with -v llama.cpp's log takes its place. */
  boolean showsProgress() {
    return !terminal.quiet() && terminal.errIsTerminal() && !general.verbose;
  }

  /** A bar for some work, if there is somebody to look at it. */
  LoadProgress progress(String task) {
    return new LoadProgress(
        task, terminal, showsProgress() ? LoadProgress.PATIENCE : Long.MAX_VALUE);
  }

  /** Shows llama.cpp's log if that is wanted. */
  void passOnLog() {
    if (general.verbose) {
      Llama.setVerbose(true);
    }
  }
}
