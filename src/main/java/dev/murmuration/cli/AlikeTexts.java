package dev.murmuration.cli;

import java.util.ArrayList;
import java.util.List;

/** Shows of texts that begin alike what tells them apart. */
final class AlikeTexts {
  /** A common beginning of fewer columns stays: leaving it out would gain next to nothing. */
  private static final int LEAST = 8;

  /** What is shown of the common beginning, in characters, where no word ends there. */
  private static final int CONTEXT = 12;

  private AlikeTexts() {}

  /**
   * Visible lines of at most so many columns. Where two do not both fit, what they have in common
   * at their beginning gives way to an ellipsis.
   */
  static List<String> cut(List<String> lines, int columns) {
    List<String> shown = new ArrayList<>();
    for (String line : lines) {
      int common = 0;
      for (String other : lines) {
        if (!other.equals(line) && Math.max(Display.width(line), Display.width(other)) > columns) {
          common = Math.max(common, common(line, other));
        }
      }
      int from = wordStart(line, common);
      boolean worthIt = Display.width(line.substring(0, from)) >= LEAST;
      shown.add(Display.cut(worthIt ? "…" + line.substring(from) : line, columns));
    }
    return shown;
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
