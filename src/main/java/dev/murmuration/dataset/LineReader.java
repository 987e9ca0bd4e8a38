package dev.murmuration.dataset;

import dev.murmuration.files.ForeignFile;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Optional;

/**
 * Reads lines of UTF-8, and never keeps more of a line in memory than it may have. For one thread.
 */
final class LineReader {
  /** One line: its text, or what is wrong with it, and the other one null. */
  record Line(long number, String text, String problem) {}

  /** So many bytes tell what the input is. A pipe may begin with fewer, but rows do not. */
  private static final int SAMPLE = 8;

  private final InputStream in;
  private final String title;
  private final int maxBytes;
  private final byte[] buffer = new byte[1 << 16];
  private int position;
  private int limit;
  private long number;

  /**
   * Makes a reader.
   *
   * @param title for messages
   * @param maxBytes the longest line that is taken
   */
  LineReader(InputStream in, String title, int maxBytes) {
    this.in = in;
    this.title = title;
    this.maxBytes = maxBytes;
  }

  /** The next line, without its end; null when there are no more. */
  Line next() throws IOException {
    if (!fill()) {
      return null;
    }
    if (number == 0) {
      checkKind(Arrays.copyOfRange(buffer, position, Math.min(limit, SAMPLE)));
    }
    number++;
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long size = 0;
    boolean ended = false;
    while (!ended && fill()) {
      int end = position;
      while (end < limit && buffer[end] != '\n') {
        end++;
      }
      ended = end < limit;
      size += end - position;
      if (size <= maxBytes) {
        line.write(buffer, position, end - position);
      } else {
        line.reset();
      }
      position = ended ? end + 1 : end;
    }
    return size > maxBytes
        ? new Line(number, null, "the line has " + size + " bytes, the limit is " + maxBytes)
        : decode(line.toByteArray());
  }

  private void checkKind(byte[] head) throws IOException {
    Optional<String> foreign = ForeignFile.packed(head).or(() -> ForeignFile.encoded(head));
    if (foreign.isPresent()) {
      throw new IOException(title + " " + foreign.get());
    }
  }

  /** Whether there is something in the buffer, after reading more if need be. */
  private boolean fill() throws IOException {
    if (position < limit) {
      return true;
    }
    position = 0;
    limit = Math.max(0, in.read(buffer));
    return limit > 0;
  }

  private Line decode(byte[] bytes) {
    int length =
        bytes.length > 0 && bytes[bytes.length - 1] == '\r' ? bytes.length - 1 : bytes.length;
    try {
      String text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes, 0, length)).toString();
      return new Line(
          number, number == 1 && text.startsWith("\ufeff") ? text.substring(1) : text, null);
    } catch (CharacterCodingException e) {
      return new Line(number, null, "the line is not valid UTF-8");
    }
  }
}
