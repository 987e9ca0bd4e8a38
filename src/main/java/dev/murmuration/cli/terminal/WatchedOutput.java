package dev.murmuration.cli.terminal;

import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.util.Locale;

/**
 * Remembers why writing failed: a {@link java.io.PrintStream} around it would only say that it did.
 */
public final class WatchedOutput extends FilterOutputStream {
  /**
   * Who read our output wants no more of it, as {@code head} does. No failure: the command ends
   * quietly.
   */
  public static final class ReaderGoneException extends IOException {
    private static final long serialVersionUID = 1L;

    ReaderGoneException(IOException cause) {
      super("nobody reads the output any more", cause);
    }
  }

  /** Written by the thread that writes the output, and read by the same after a flush. */
  private IOException failure;

  WatchedOutput(OutputStream out) {
    super(out);
  }

  @Override
  public void write(int value) throws IOException {
    write(new byte[] {(byte) value}, 0, 1);
  }

  @Override
  public void write(byte[] bytes, int from, int count) throws IOException {
    if (failure != null) {
      return;
    }
    try {
      out.write(bytes, from, count);
    } catch (IOException e) {
      failure = e;
      throw e;
    }
  }

  /** Throws what went wrong so far, if anything did. */
  void check() throws IOException {
    if (failure == null) {
      return;
    }
    // There is no other sign: the JDK has no exception of its own for EPIPE ("Broken pipe").
    String reason = String.valueOf(failure.getMessage());
    if (reason.toLowerCase(Locale.ROOT).contains("pipe")) {
      throw new ReaderGoneException(failure);
    }
    throw new IOException("cannot write to standard output: " + reason, failure);
  }
}
