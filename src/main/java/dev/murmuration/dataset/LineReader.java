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

  /** What stands for bytes that are no character. */
  private static final char REPLACEMENT = '\ufffd';

  private final InputStream in;
  private final String title;
  private final int maxBytes;
  private final byte[] buffer = new byte[1 << 18];
  private int position;
  private int limit;
  private long number;

  /** Bytes that were in the buffer before those that are. */
  private long before;

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
    int first = end();
    if (first < limit && first - position <= maxBytes) {
      Line whole = decode(buffer, position, first);
      position = first + 1;
      return whole;
    }
    return longLine();
  }

  /** Where the line ends in the buffer; {@code limit} if it does not end there. */
  private int end() {
    int end = position;
    while (end < limit && buffer[end] != '\n') {
      end++;
    }
    return end;
  }

  /** A line that is longer than what is in the buffer. */
  private Line longLine() throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream();
    long size = 0;
    boolean ended = false;
    while (!ended && fill()) {
      int end = end();
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
        : decode(line.toByteArray(), 0, line.size());
  }

  /** How many bytes the lines so far have taken. */
  long consumed() {
    return before + position;
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
    before += limit;
    position = 0;
    limit = Math.max(0, in.read(buffer));
    return limit > 0;
  }

  private Line decode(byte[] bytes, int from, int end) {
    int length = (end > from && bytes[end - 1] == '\r' ? end - 1 : end) - from;
    // Faster than a decoder that refuses what is damaged: here that is replaced, and looked at once
    // more where a text holds the replacement.
    String text = new String(bytes, from, length, StandardCharsets.UTF_8);
    if (text.indexOf(REPLACEMENT) >= 0 && !isUtf8(ByteBuffer.wrap(bytes, from, length))) {
      return new Line(number, null, "the line is not valid UTF-8");
    }
    return new Line(
        number, number == 1 && text.startsWith("\ufeff") ? text.substring(1) : text, null);
  }

  private static boolean isUtf8(ByteBuffer bytes) {
    try {
      var _ = StandardCharsets.UTF_8.newDecoder().decode(bytes);
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}
