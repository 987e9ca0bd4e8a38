package dev.murmuration.cli.terminal;

import java.io.BufferedOutputStream;
import java.io.Console;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;

/**
 * Where a command reads and writes, and what is known about it. Text is UTF-8 whatever the locale
 * says: data must not depend on it. Only the command's own thread writes to {@link #out}.
 */
public final class Terminal {
  private static final int DEFAULT_COLUMNS = 80;
  private static final int LEAST_COLUMNS = 40;

  /** What standard output and standard error are attached to. */
  public record Kind(boolean outIsTerminal, boolean errIsTerminal, int columns, boolean colour) {
    /** Pipes or files. */
    public static final Kind PLAIN = new Kind(false, false, DEFAULT_COLUMNS, false);

    public Kind {
      columns = Math.max(LEAST_COLUMNS, columns);
    }

    /**
     * As the launcher says, which can ask the system; Java itself only knows about input and output
     * together.
     */
    static Kind ofProcess() {
      boolean both = System.getProperty("murmur.stdout.tty") == null && consoleIsTerminal();
      boolean out = both || Boolean.getBoolean("murmur.stdout.tty");
      boolean err = both || Boolean.getBoolean("murmur.stderr.tty");
      int columns = Integer.getInteger("murmur.columns", DEFAULT_COLUMNS);
      String noColour = System.getenv("NO_COLOR");
      boolean dumb = "dumb".equals(System.getenv("TERM"));
      return new Kind(out, err, columns, out && !dumb && (noColour == null || noColour.isEmpty()));
    }

    @SuppressWarnings(
        "SystemConsoleNull") // It is null again where -Djdk.console has its default of JDK 25.
    private static boolean consoleIsTerminal() {
      Console console = System.console();
      return console != null && console.isTerminal();
    }
  }

  private final InputStream in;
  private final WatchedOutput watched;
  private final PrintStream out;
  private final PrintStream err;
  private final Kind kind;
  private final boolean inIsTerminal;
  private boolean quiet;

  public Terminal(InputStream in, OutputStream out, OutputStream err, Kind kind) {
    this(in, false, out, err, kind);
  }

  /**
   * Like the other one.
   *
   * @param inIsTerminal whether somebody types what is read
   */
  public Terminal(
      InputStream in, boolean inIsTerminal, OutputStream out, OutputStream err, Kind kind) {
    this.in = in;
    this.inIsTerminal = inIsTerminal;
    this.watched = new WatchedOutput(out);
    this.out = new PrintStream(new BufferedOutputStream(watched), false, StandardCharsets.UTF_8);
    this.err = new PrintStream(err, true, StandardCharsets.UTF_8);
    this.kind = kind;
  }

  /** The process's own streams. */
  public static Terminal ofProcess() {
    return new Terminal(
        ClosedInput.isThatOfProcess() ? new ClosedInput() : new FileInputStream(FileDescriptor.in),
        Boolean.getBoolean("murmur.stdin.tty"),
        new FileOutputStream(FileDescriptor.out),
        new FileOutputStream(FileDescriptor.err),
        Kind.ofProcess());
  }

  public InputStream in() {
    return in;
  }

  /** For rewards and data. */
  public PrintStream out() {
    return out;
  }

  /** For everything else. */
  public PrintStream err() {
    return err;
  }

  public boolean inIsTerminal() {
    return inIsTerminal;
  }

  public boolean outIsTerminal() {
    return kind.outIsTerminal();
  }

  public boolean errIsTerminal() {
    return kind.errIsTerminal();
  }

  /** Width in characters. */
  public int columns() {
    return kind.columns();
  }

  public boolean colour() {
    return kind.colour();
  }

  /** From now on {@link #note} says nothing. */
  public void setQuiet(boolean quiet) {
    this.quiet = quiet;
  }

  public boolean quiet() {
    return quiet;
  }

  /** One line on standard error that is good to know and no failure. */
  public void note(String text) {
    if (!quiet) {
      err.println("murmur: " + text);
    }
  }

  /** Like {@link #note}, in as many lines as a terminal needs for it. */
  public void notes(String text) {
    if (!quiet) {
      String start = "murmur: ";
      int width = errIsTerminal() ? columns() - start.length() : Integer.MAX_VALUE;
      for (String line : Display.wrap(text, width)) {
        err.println(start + line);
        start = " ".repeat(start.length());
      }
    }
  }

  /** Hands on what was printed. */
  public void flush() throws IOException {
    out.flush();
    watched.check();
  }
}
