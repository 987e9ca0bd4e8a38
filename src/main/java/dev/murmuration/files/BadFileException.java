package dev.murmuration.files;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file has the wrong content, or cannot be written. The message is one line: the file, what is
 * wrong, the value found, the limit and what to do about it.
 */
public final class BadFileException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int QUOTE_LIMIT = 120;

  private final String file;
  private final long byteOffset;

  /**
   * @param file the path that the caller gave, or one found below it
   * @param problem what is wrong; the message is the file, a colon and this text
   */
  public BadFileException(Path file, String problem) {
    super(file + ": " + problem);
    this.file = file.toString();
    this.byteOffset = -1;
  }

  /** A problem that another exception has reported. */
  public BadFileException(Path file, String problem, Throwable cause) {
    this(file, problem);
    initCause(cause);
  }

  /**
   * A problem at a known place in the file.
   *
   * @param byteOffset in bytes from the file's start
   */
  public BadFileException(Path file, long byteOffset, String problem) {
    super(file + ": " + problem + " (at byte " + byteOffset + ")");
    this.file = file.toString();
    this.byteOffset = byteOffset;
  }

  /** The file: the path that the caller gave, or one found below it. */
  public String file() {
    return file;
  }

  /** Where in the file the problem is, in bytes from its start; -1 if that is not known. */
  public long byteOffset() {
    return byteOffset;
  }

  /** Text from a file, made safe for a one-line message: quoted, printable and short. */
  public static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < Math.min(text.length(), QUOTE_LIMIT); i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c != 0x7f && (c < 0x80 || Character.isLetterOrDigit(c))) {
        quoted.append(c);
      } else {
        quoted.append("\\u").append(Integer.toHexString(0x10000 | c), 1, 5);
      }
    }
    return quoted.append(text.length() > QUOTE_LIMIT ? "…\"" : "\"").toString();
  }
}
