package dev.murmuration.cli;

import dev.murmuration.llama.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/** Reads a text that is an argument. */
final class TextFile {
  private static final String STANDARD_INPUT = "-";

  private TextFile() {}

  /**
   * The text of a file, or of standard input for {@code -}, without its last line break, which
   * editors put there.
   *
   * @throws IOException if it cannot be read, is longer than what can be scored, or is no UTF-8
   */
  static String read(String name, Terminal terminal) throws IOException {
    boolean standardInput = name.equals(STANDARD_INPUT);
    String title = standardInput ? "standard input" : name;
    byte[] bytes;
    try (InputStream in = standardInput ? terminal.in() : open(Path.of(name))) {
      // A line break may come on top of the longest text, and one byte more tells that it is too
      // long.
      bytes = in.readNBytes(Vocabulary.MAX_BYTES + 3);
    }
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      if (bytes.length > Vocabulary.MAX_BYTES) {
        throw tooLong(title, e);
      }
      throw new IOException(title + " is not UTF-8 text; convert it first (iconv -t UTF-8)", e);
    }
    if (bytes.length > Vocabulary.MAX_BYTES + 2) {
      throw tooLong(title, null);
    }
    return withoutLastLineBreak(text);
  }

  private static IOException tooLong(String title, Throwable cause) {
    return new IOException(
        title + " is longer than " + Vocabulary.MAX_BYTES + " bytes, the most that a text may have",
        cause);
  }

  private static InputStream open(Path file) throws IOException {
    if (Files.isDirectory(file)) {
      throw new IOException(file + " is a directory; name a file that holds the text");
    }
    return Files.newInputStream(file);
  }

  private static String withoutLastLineBreak(String text) {
    if (text.endsWith("\r\n")) {
      return text.substring(0, text.length() - 2);
    }
    return text.endsWith("\n") ? text.substring(0, text.length() - 1) : text;
  }
}
