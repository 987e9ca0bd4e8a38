package dev.murmuration.gguf;

import java.io.IOException;
import java.nio.file.Path;

/**
 * The content of a file is not what it has to be. The message is one line: the file, what is wrong,
 * the value found, the limit and what to do about it.
 */
public final class GgufException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int QUOTE_LIMIT = 80;

  private final String file;
  private final long byteOffset;

  GgufException(Path path, String problem) {
    super(path + ": " + problem);
    this.file = path.toString();
    this.byteOffset = -1;
  }

  GgufException(Path path, long byteOffset, String problem) {
    super(path + ": " + problem + " (at byte " + byteOffset + ")");
    this.file = path.toString();
    this.byteOffset = byteOffset;
  }

  /** The file, as it was named by the caller. */
  public String file() {
    return file;
  }

  /** Where in the file the problem lies, in bytes from its start, or -1 where no place is known. */
  public long byteOffset() {
    return byteOffset;
  }

  /** Text from a file, made safe for a one-line message: quoted, printable and short. */
  static String quote(String text) {
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
