package dev.murmuration.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * The command line's arguments as UTF-8, whatever the locale is, like everything else that is read
 * and written here. Java decodes them by the locale's charset, and what that does not have becomes
 * U+FFFD; but Linux still knows the bytes.
 */
final class Arguments {
  /** Where Linux has the arguments of this process, each with a NUL behind it. */
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private static final char REPLACEMENT = '\uFFFD';
  private static final int SHOWN = 60;

  private Arguments() {}

  /**
   * The arguments of this process as they were meant.
   *
   * @param arguments as Java has decoded them
   * @throws IllegalArgumentException if one is no UTF-8
   */
  static String[] decode(String[] arguments) {
    return decode(arguments, COMMAND_LINE);
  }

  /** As above, with the bytes from a file that may be missing. */
  static String[] decode(String[] arguments, Path commandLine) {
    if (String.join("", arguments).chars().allMatch(Arguments::isAscii)) {
      return arguments;
    }
    List<byte[]> raw = raw(commandLine);
    int before = raw.size() - arguments.length;
    String[] decoded = arguments.clone();
    for (int i = 0; i < decoded.length; i++) {
      boolean known = before > 0 && isSame(raw.get(before + i), arguments[i]);
      decoded[i] = known ? strict(raw.get(before + i), i) : unbroken(arguments[i], i);
    }
    return decoded;
  }

  /**
   * An environment variable that names a file, null if it is not set.
   *
   * @throws IllegalArgumentException if Java could not decode it
   */
  static String fileVariable(String name) {
    String value = System.getenv(name);
    if (value != null && value.indexOf(REPLACEMENT) >= 0) {
      throw new IllegalArgumentException(
          name
              + " is not a name in "
              + System.getProperty("sun.jnu.encoding")
              + ", the charset in which Java reads it: '"
              + value
              + "'; rename the file, and have Java run in a UTF-8 locale such as LC_ALL=C.UTF-8");
    }
    return value;
  }

  private static boolean isAscii(int c) {
    return c < 0x80;
  }

  private static List<byte[]> raw(Path commandLine) {
    List<byte[]> all = new ArrayList<>();
    byte[] bytes;
    try {
      bytes = Files.readAllBytes(commandLine);
    } catch (IOException e) {
      return all;
    }
    int start = 0;
    for (int i = 0; i < bytes.length; i++) {
      if (bytes[i] == 0) {
        all.add(Arrays.copyOfRange(bytes, start, i));
        start = i + 1;
      }
    }
    return all;
  }

  /**
   * Whether Java can have made this argument of these bytes: arguments may also come from a file
   * ({@code java @file}). ASCII is the same in every charset that a locale may have.
   */
  private static boolean isSame(byte[] raw, String argument) {
    String fromRaw = new String(raw, StandardCharsets.ISO_8859_1);
    return onlyAscii(fromRaw).equals(onlyAscii(argument));
  }

  private static String onlyAscii(String text) {
    return text.replaceAll("[^\\x00-\\x7f]", "");
  }

  private static String strict(byte[] raw, int index) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(raw)).toString();
    } catch (CharacterCodingException e) {
      throw refused(index, escaped(raw), e);
    }
  }

  private static String unbroken(String argument, int index) {
    if (argument.indexOf(REPLACEMENT) >= 0) {
      throw refused(index, argument, null);
    }
    return argument;
  }

  /** What can be shown of an argument whose bytes mean nothing. */
  private static String escaped(byte[] raw) {
    StringBuilder shown = new StringBuilder();
    for (byte b : raw) {
      if (b >= ' ' && b != 0x7f) {
        shown.append((char) b);
      } else {
        shown.append(String.format("\\x%02x", b));
      }
    }
    return shown.toString();
  }

  private static IllegalArgumentException refused(int index, String shown, Throwable cause) {
    String start = shown.length() > SHOWN ? shown.substring(0, SHOWN) + "…" : shown;
    return new IllegalArgumentException(
        "argument "
            + (index + 1)
            + " is not UTF-8: '"
            + start
            + "'; convert it (iconv -t UTF-8), or put a text into a file and name that"
            + " (--prompt-file, --response-file)",
        cause);
  }
}
