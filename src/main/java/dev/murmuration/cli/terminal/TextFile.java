package dev.murmuration.cli.terminal;

import dev.murmuration.files.ForeignFile;
import dev.murmuration.llama.Vocabulary;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.Set;

/** Reads a text that is an argument. */
public final class TextFile {
  private static final Set<String> STANDARD_INPUT =
      Set.of("-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0");

  /** Bytes of the marks that are left out. */
  private static final int MARKS = 5;

  private TextFile() {}

  /** Whether a name stands for standard input. */
  public static boolean isStandardInput(String name) {
    return STANDARD_INPUT.contains(name);
  }

  /**
   * The text of a file, or of standard input for {@code -}, without the marks that editors put
   * there: a byte order mark at its beginning and the last line break.
   *
   * @throws IOException if it cannot be read, is longer than what can be scored, or is no UTF-8
   */
  public static String read(String name, Terminal terminal) throws IOException {
    boolean standardInput = isStandardInput(name);
    String title = standardInput ? "standard input" : name;
    if (name.isEmpty()) {
      throw new IllegalArgumentException("the name of the file with the text is empty");
    }
    byte[] bytes;
    try (InputStream in = standardInput ? terminal.in() : open(Path.of(name))) {
      // Marks may come on top of the longest text, and one byte more tells that it is too long.
      bytes = in.readNBytes(Vocabulary.MAX_BYTES + MARKS + 1);
    }
    checkKind(bytes, title);
    checkZeros(bytes, title);
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
    } catch (CharacterCodingException e) {
      if (bytes.length > Vocabulary.MAX_BYTES) {
        throw tooLong(title, e);
      }
      throw new IOException(title + " is not UTF-8 text; convert it first (iconv -t UTF-8)", e);
    }
    if (bytes.length > Vocabulary.MAX_BYTES + MARKS) {
      throw tooLong(title, null);
    }
    return withoutLastLineBreak(withoutByteOrderMark(text));
  }

  /** A text without the character by which some editors mark UTF-8. */
  public static String withoutByteOrderMark(String text) {
    return text.startsWith("\ufeff") ? text.substring(1) : text;
  }

  /**
   * Refuses what is no text in UTF-8 by its first bytes.
   *
   * @param title what to call it
   */
  public static void checkKind(byte[] head, String title) throws IOException {
    Optional<String> foreign = ForeignFile.packed(head).or(() -> ForeignFile.encoded(head));
    if (foreign.isPresent()) {
      throw new IOException(title + " " + foreign.get());
    }
  }

  /** UTF-16 without a byte order mark is valid UTF-8, of twice the length, if it is ASCII. */
  private static void checkZeros(byte[] bytes, String title) throws IOException {
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        throw new IOException(
            title
                + " is no text: its byte "
                + i
                + " is zero; if it is in UTF-16, convert it first (iconv -f UTF-16LE -t UTF-8)");
      }
    }
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
