package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Display;
import java.util.List;

/** Shows of texts that begin alike what tells them apart. */
public final class AlikeTexts {
  /** A common beginning of fewer columns stays: leaving it out would gain next to nothing. */
  private static final int LEAST = 8;

  /** What is shown of the common beginning, in characters, where no word ends there. */
  private static final int CONTEXT = 12;

  private AlikeTexts() {}

  /**
   * Visible lines of at most so many columns. In a line that does not fit, what it has in common
   * with the beginning of another gives way to an ellipsis.
   */
  public static List<String> cut(List<String> lines, int columns) {
    return lines.stream()
        .map(line -> Display.width(line) <= columns ? line : cut(line, lines, columns))
        .toList();
  }

  private static String cut(String line, List<String> lines, int columns) {
    int common =
        lines.stream()
            .filter(other -> !other.equals(line))
            .mapToInt(other -> common(line, other))
            .max()
            .orElse(0);
    int from = wordStart(line, common);
    boolean worthIt = Display.width(line.substring(0, from)) >= LEAST;
    return Display.cut(worthIt ? "…" + line.substring(from) : line, columns);
  }

  /** How many characters two lines have in common at their beginning. */
  private static int common(String a, String b) {
    int length = 0;
    while (length < Math.min(a.length(), b.length()) && a.charAt(length) == b.charAt(length)) {
      length++;
    }
    return length;
  }

  /** Where the word begins in which two lines differ, or a part of it if it is long. */
  private static int wordStart(String line, int difference) {
    // A line that ends where the other goes on keeps its last word.
    int end = difference == line.length() ? line.stripTrailing().length() : difference;
    int from = Math.max(line.lastIndexOf(' ', end - 1) + 1, end - CONTEXT);
    return from > 0 && from < line.length() && Character.isLowSurrogate(line.charAt(from))
        ? from - 1
        : from;
  }
}
