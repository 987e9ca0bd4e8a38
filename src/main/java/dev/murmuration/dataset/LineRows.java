package dev.murmuration.dataset;

import java.io.IOException;
import java.io.InputStream;

/** JSON lines: a row a line. */
final class LineRows implements RowSource {
  private final InputStream in;
  private final LineReader lines;
  private final String title;
  private final long before;
  private final long size;

  /**
   * @param before rows of the files before this one
   * @param size bytes of all lines; 0 if that is not known
   */
  LineRows(InputStream in, String title, long before, long size) {
    this.in = in;
    this.lines = new LineReader(in, title, MAX_ROW);
    this.title = title;
    this.before = before;
    this.size = size;
  }

  @Override
  public Row next() throws IOException {
    LineReader.Line line = lines.next();
    if (line == null) {
      return null;
    }
    String place = title + ", line " + line.number();
    return line.problem() == null
        ? Row.of(before + line.number(), line.text(), place)
        : Row.bad(before + line.number(), line.problem(), place);
  }

  @Override
  public double share() {
    return size == 0 ? Double.NaN : (double) lines.consumed() / size;
  }

  @Override
  public void close() throws IOException {
    in.close();
  }
}
