package dev.murmuration.files;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A file is not what it has to be, or cannot become it. The message is one line: the file, what is
 * wrong, the value found, the limit and what to do about it.
 */
public final class BadFileException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int QUOTE_LIMIT = 120;

  private final String file;
  private final long byteOffset;

  /**
   * @param file as it was named by the caller, or found in a folder that was
   * @param problem the rest of a sentence that begins with the file
   */
  public BadFileException(Path file, String problem) {
    super(file + ": " + problem);
    this.file = file.toString();
    this.byteOffset = -1;
  }

  /** The same, because of another exception. */
  public BadFileException(Path file, String problem, Throwable cause) {
    this(file, problem);
    initCause(cause);
  }

  /**
   * The same, at a place.
   *
   * @param byteOffset in bytes from the file's start
   */
  public BadFileException(Path file, long byteOffset, String problem) {
    super(file + ": " + problem + " (at byte " + byteOffset + ")");
    this.file = file.toString();
    this.byteOffset = byteOffset;
  }

  /** The file, as it was named by the caller or found in a folder that was. */
  public String file() {
    return file;
  }

  /** Where in the file the problem lies, in bytes from its start, or -1 where no place is known. */
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
