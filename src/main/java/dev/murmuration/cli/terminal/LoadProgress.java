package dev.murmuration.cli.terminal;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/**
 * A bar on standard error while a model loads, or another long work goes on; none at all if that is
 * done in a moment.
 */
public final class LoadProgress implements DoubleConsumer, AutoCloseable {
  /** A load that takes no longer, in nanoseconds, has no bar. */
  public static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(300);

  private static final int PARTS = 1000;

  /** Back to the start of the line, and erase it (ECMA-48: CR, EL). */
  private static final String WIPE = "\r\u001b[K";

  private final String task;
  private final Terminal terminal;
  private final long patience;
  private final long start = System.nanoTime();
  private ProgressBar bar;

  public LoadProgress(Path model, Terminal terminal, long patience) {
    this("Loading " + model.getFileName(), terminal, patience);
  }

  public LoadProgress(String task, Terminal terminal, long patience) {
    this.task = task;
    this.terminal = terminal;
    this.patience = patience;
  }

  @Override
  public void accept(double share) {
    if (bar == null && System.nanoTime() - start > patience) {
      bar = build();
    }
    if (bar != null) {
      bar.stepTo(Math.round(share * PARTS));
    }
  }

  private ProgressBar build() {
    return new ProgressBarBuilder()
        .setTaskName(task)
        .setInitialMax(PARTS)
        .setStyle(ProgressBarStyle.UNICODE_BLOCK)
        .setUpdateIntervalMillis(100)
        .setConsumer(new Line(terminal.err(), terminal.columns() - 1))
        .hideEta()
        .build();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
      // Not left to the library: it forgets to when the bar is closed before its first redraw.
      terminal.err().print(WIPE);
      terminal.err().flush();
    }
  }

  /** The line that is written over and over. */
  private record Line(PrintStream err, int columns) implements ProgressBarConsumer {
    @Override
    public int getMaxRenderedLength() {
      return columns;
    }

    @Override
    public void accept(String text) {
      err.print("\r" + text);
      err.flush(); // An automatic flush only comes with a line's end.
    }

    @Override
    public void close() {
      err.flush();
    }
  }
}
