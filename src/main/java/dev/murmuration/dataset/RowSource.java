package dev.murmuration.dataset;

import java.io.IOException;

/** Rows, one after another, in the order of the files. For one thread at a time. */
public interface RowSource extends AutoCloseable {
  /** The most bytes, or characters, of a row. */
  int MAX_ROW = 16 << 20;

  /**
   * The next row; null behind the last one. A row that is damaged is a {@link Row#bad}, and reading
   * goes on behind it.
   *
   * @throws IOException if reading cannot go on: it says which file, what and what to do
   */
  Row next() throws IOException;

  /** How much of the input is read, 0 to 1; NaN where nobody knows how much there is. */
  default double share() {
    return Double.NaN;
  }

  @Override
  void close() throws IOException;
}
