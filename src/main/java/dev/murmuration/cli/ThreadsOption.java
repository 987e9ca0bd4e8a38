package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.llama.ContextParameters;
import picocli.CommandLine.Option;

/** How many threads compute. */
final class ThreadsOption {
  private static final int MOST_THREADS = ContextParameters.MAX_THREADS;

  @Option(
      names = {"-t", "--threads"},
      order = HelpLayout.MODEL + 2,
      paramLabel = "N",
      description = "Threads that compute, 1 to 512. Default: one a physical core.")
  private Integer threads;

  /**
   * How many threads shall compute; 0 if nobody says.
   *
   * @throws IllegalArgumentException if their number is out of its range
   */
  int count() {
    if (threads != null && (threads < 1 || threads > MOST_THREADS)) {
      throw new IllegalArgumentException(
          "--threads is " + threads + "; it takes 1 to " + MOST_THREADS);
    }
    return threads == null ? 0 : threads;
  }

  /** Warns of threads that would wait for each other. */
  void note(Terminal terminal) {
    int processors = Runtime.getRuntime().availableProcessors();
    if (count() > processors) {
      terminal.note(
          "--threads "
              + threads
              + " on "
              + Numbers.counted(processors, "processor")
              + ": at every step all threads wait for the one whose turn comes last, which can"
              + " take many times as long");
    }
  }
}
