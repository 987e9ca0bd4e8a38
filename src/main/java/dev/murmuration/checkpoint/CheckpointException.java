package dev.murmuration.checkpoint;

import java.io.IOException;
import java.nio.file.Path;

/**
 * A checkpoint, a tokenizer or an output file is not what it has to be. The message is one line:
 * the file, the tensor or key, what is wrong with it, and what would help.
 */
public final class CheckpointException extends IOException {
  private static final long serialVersionUID = 1L;
  private static final int QUOTE_LIMIT = 120;

  private final String file;

  CheckpointException(Path file, String problem) {
    super(file + ": " + problem);
    this.file = file.toString();
  }

  CheckpointException(Path file, String problem, Throwable cause) {
    this(file, problem);
    initCause(cause);
  }

  /** The file or folder, as it was named by the caller or found in the named folder. */
  public String file() {
    return file;
  }

  /** Text from a file, made safe for a one-line message: quoted, printable and short. */
  static String quote(String text) {
    StringBuilder quoted = new StringBuilder("\"");
    for (int i = 0; i < Math.min(text.length(), QUOTE_LIMIT); i++) {
      char c = text.charAt(i);
      if (c >= ' ' && c < 0x7f) {
        quoted.append(c);
      } else {
        quoted.append("\\u").append(Integer.toHexString(0x10000 | c), 1, 5);
      }
    }
    return quoted.append(text.length() > QUOTE_LIMIT ? "…\"" : "\"").toString();
  }
}
