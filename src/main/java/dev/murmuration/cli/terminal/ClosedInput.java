package dev.murmuration.cli.terminal;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Stands for a standard input that was closed when the process began. The JVM's own first file then
 * takes its number, and would be read in its place.
 */
final class ClosedInput extends InputStream {
  /** What the launcher says, which has put an empty input there. */
  private static final String TOLD = "murmur.stdin.closed";

  private static final Path DESCRIPTOR = Path.of("/proc/self/fd/0");

  /** Whether the standard input of this process was closed. */
  static boolean isThatOfProcess() {
    if (Boolean.getBoolean(TOLD)) {
      return true;
    }
    try {
      return Files.readSymbolicLink(DESCRIPTOR).startsWith(System.getProperty("java.home"));
    } catch (IOException e) {
      return false;
    }
  }

  @Override
  public int read() throws IOException {
    throw new IOException(
        "standard input is closed; give what is to be read from a file or a pipe, such as"
            + " < rows.jsonl");
  }

  @Override
  public int read(byte[] bytes, int from, int count) throws IOException {
    return read();
  }
}
