package dev.murmuration.cli.terminal;

import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** Puts text into columns of a terminal, and into fields of tab-separated lines. */
public final class Display {
  private static final char ELLIPSIS = '…';
  private static final char LINE_BREAK = '⏎';
  private static final Pattern SPACE = Pattern.compile(" ");
  private static final String BLOCKS = "▏▎▍▌▋▊▉█";

  private Display() {}

  /**
   * One line for a terminal: line breaks become ⏎, and what could move the cursor or turn the line
   * around becomes a replacement character, because responses are not to be trusted.
   */
  public static String visible(String text) {
    StringBuilder line = new StringBuilder(text.length());
    text.replace("\r\n", "\n").codePoints().forEach(c -> line.appendCodePoint(visible(c)));
    return line.toString();
  }

  private static int visible(int c) {
    if (c == '\n' || c == '\r') {
      return LINE_BREAK;
    }
    if (c == '\t') {
      return ' ';
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.SURROGATE,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          '\ufffd';
      // U+200D joins the parts of an emoji and moves nothing.
      case Character.FORMAT -> c == 0x200d ? c : '\ufffd';
      default -> c;
    };
  }

  /**
   * One field of a tab-separated line: tab, line feed, carriage return and backslash as {@code \t
   * \n \r \\}.
   */
  public static String escaped(String text) {
    return text.replace("\\", "\\\\")
        .replace("\t", "\\t")
        .replace("\n", "\\n")
        .replace("\r", "\\r");
  }

  /** Columns that a character takes in a terminal (Unicode Standard Annex 11: W and F). */
  private static int width(int c) {
    int type = Character.getType(c);
    if (type == Character.NON_SPACING_MARK
        || type == Character.ENCLOSING_MARK
        || type == Character.FORMAT
        || (c >= 0x1160 && c <= 0x11ff)) { // Jamo that join the one before.
      return 0;
    }
    return isEastAsian(c) || Character.isIdeographic(c) || Character.isEmojiPresentation(c) ? 2 : 1;
  }

  private static boolean isEastAsian(int c) {
    return (c >= 0x1100 && c <= 0x115f)
        || (c >= 0x2e80 && c <= 0xa4cf && c != 0x303f) // The half fill space is narrow.
        || (c >= 0xa960 && c <= 0xa97c)
        || (c >= 0xac00 && c <= 0xd7a3)
        || (c >= 0xfe30 && c <= 0xfe6f)
        || (c >= 0xff01 && c <= 0xff60)
        || (c >= 0xffe0 && c <= 0xffe6)
        || (c >= 0x1aff0 && c <= 0x1b2ff); // Kana of later versions, and Nushu.
  }

  /** Columns that a visible line takes. */
  public static int width(String line) {
    return line.codePoints().map(Display::width).sum();
  }

  /** A visible line, cut to {@code columns} with an ellipsis at its end where it is longer. */
  public static String cut(String line, int columns) {
    if (width(line) <= columns) {
      return line;
    }
    StringBuilder kept = new StringBuilder();
    int used = 1;
    for (int c : line.codePoints().toArray()) {
      used += width(c);
      if (used > columns) {
        break;
      }
      kept.appendCodePoint(c);
    }
    return kept.append(ELLIPSIS).toString();
  }

  /** A visible line, cut to {@code columns} with an ellipsis at its start where it is longer. */
  public static String cutStart(String line, int columns) {
    String rest = line;
    while (width(rest) > (rest.length() < line.length() ? columns - 1 : columns)) {
      rest = rest.substring(rest.offsetByCodePoints(0, 1));
    }
    return rest.length() < line.length() ? ELLIPSIS + rest : rest;
  }

  /** A visible text in lines of at most so many columns; a longer word is left as it is. */
  public static List<String> wrap(String text, int columns) {
    List<String> lines = new ArrayList<>();
    StringBuilder line = new StringBuilder();
    for (String word : SPACE.split(text, -1)) {
      if (!line.isEmpty() && width(line.toString()) + 1 + width(word) > columns) {
        lines.add(line.toString());
        line.setLength(0);
      }
      line.append(line.isEmpty() ? "" : " ").append(word);
    }
    lines.add(line.toString());
    return lines;
  }

  /** A visible line of exactly so many columns. */
  public static String fit(String line, int columns) {
    String cut = cut(line, columns);
    return cut + " ".repeat(Math.max(0, columns - width(cut)));
  }

  /**
   * A bar of exactly so many columns that is filled up to a share of 0 to 1; even for 0 there is
   * something to see.
   */
  public static String bar(double share, int columns) {
    int eighths = Math.max(1, (int) Math.round(share * columns * BLOCKS.length()));
    StringBuilder bar = new StringBuilder("█".repeat(eighths / BLOCKS.length()));
    int rest = eighths % BLOCKS.length();
    if (rest > 0) {
      bar.append(BLOCKS.charAt(rest - 1));
    }
    return bar.append(" ".repeat(columns - bar.length())).toString();
  }

  /** Where a value lies between two others, as a share of 0 to 1; 1 if they are the same. */
  public static double share(double value, double least, double most) {
    return most > least ? (value - least) / (most - least) : 1;
  }
}
