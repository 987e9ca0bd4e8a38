package dev.murmuration.cli.view;

import dev.murmuration.bench.BenchProgress;
import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Terminal;

/** A bar for each of several measurements, on standard error where somebody looks at it. */
public final class BenchBars implements BenchProgress {
  private final Terminal terminal;
  private final boolean shown;
  private final int steps;
  private int step;

  public BenchBars(Terminal terminal, boolean shown, int steps) {
    this.terminal = terminal;
    this.shown = shown;
    this.steps = steps;
  }

  @Override
  public Step next(String label) {
    step++;
    LoadProgress progress =
        new LoadProgress(step + "/" + steps + " " + label, terminal, shown ? 0 : Long.MAX_VALUE);
    progress.accept(0);
    return new Step() {
      @Override
      public void accept(double share) {
        progress.accept(share);
      }

      @Override
      public void close() {
        progress.close();
      }
    };
  }
}
