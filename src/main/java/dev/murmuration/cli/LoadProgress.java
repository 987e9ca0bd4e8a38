package dev.murmuration.cli;

import java.io.PrintStream;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.function.DoubleConsumer;
import me.tongfei.progressbar.ProgressBar;
import me.tongfei.progressbar.ProgressBarBuilder;
import me.tongfei.progressbar.ProgressBarConsumer;
import me.tongfei.progressbar.ProgressBarStyle;

/** A bar on standard error while a model loads; none at all if that is done in a moment. */
final class LoadProgress implements DoubleConsumer, AutoCloseable {
  private static final long PATIENCE = TimeUnit.MILLISECONDS.toNanos(300);
  private static final int PARTS = 1000;

  private final String task;
  private final Terminal terminal;
  private final long start = System.nanoTime();
  private ProgressBar bar;

  LoadProgress(Path model, Terminal terminal) {
    this.task = "Loading " + model.getFileName();
    this.terminal = terminal;
  }

  @Override
  public void accept(double share) {
    if (bar == null && System.nanoTime() - start > PATIENCE) {
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
        .clearDisplayOnFinish()
        .hideEta()
        .build();
  }

  @Override
  public void close() {
    if (bar != null) {
      bar.close();
    }
  }

  /** The line that is written over and over, and wiped at the end. */
  private record Line(PrintStream err, int columns) implements ProgressBarConsumer {
    private static final String WIPE = "\r\u001b[K";

    @Override
    public int getMaxRenderedLength() {
      return columns;
    }

    @Override
    public void accept(String text) {
      err.print("\r" + text);
      err.flush();
    }

    @Override
    public void clear() {
      err.print(WIPE);
    }

    @Override
    public void close() {
      err.flush();
    }
  }
}
