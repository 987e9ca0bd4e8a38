package dev.murmuration.cli;

/** A bar for each of several measurements, on standard error where somebody looks at it. */
final class BenchProgress {
  private final Terminal terminal;
  private final boolean shown;
  private final int steps;
  private int step;

  BenchProgress(Terminal terminal, boolean shown, int steps) {
    this.terminal = terminal;
    this.shown = shown;
    this.steps = steps;
  }

  /** The bar of the next measurement. */
  LoadProgress next(String label) {
    step++;
    LoadProgress progress =
        new LoadProgress(step + "/" + steps + " " + label, terminal, shown ? 0 : Long.MAX_VALUE);
    progress.accept(0);
    return progress;
  }
}
