package dev.murmuration.jinja;

/** Backslashes in strings, as Python's {@code unicode-escape} reads them. */
final class Escapes {
  private static final String LETTERS = "nrtabfv\\'\"";
  private static final String MEANINGS = "\n\r\t\u0007\b\f\u000b\\'\"";

  private Escapes() {}

  static String decode(String text, int line) {
    if (text.indexOf('\\') < 0) {
      return text;
    }
    StringBuilder out = new StringBuilder(text.length());
    int i = 0;
    while (i < text.length()) {
      char c = text.charAt(i++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      char escape = text.charAt(i++);
      int simple = LETTERS.indexOf(escape);
      int digits = escape == 'x' ? 2 : escape == 'u' ? 4 : escape == 'U' ? 8 : 0;
      if (simple >= 0) {
        out.append(MEANINGS.charAt(simple));
      } else if (digits > 0) {
        out.appendCodePoint(hex(text, i, digits, line));
        i += digits;
      } else if (escape == 'N' || (escape >= '0' && escape <= '7')) {
        throw JinjaException.at(line, "the escape '\\" + escape + "' in a string is not supported");
      } else if (escape != '\n') {
        out.append('\\').append(escape);
      }
    }
    return out.toString();
  }

  private static int hex(String text, int from, int digits, int line) {
    try {
      String hex = text.substring(from, from + digits);
      if (!hex.matches("[0-9a-fA-F]+")) {
        throw new NumberFormatException(hex);
      }
      int code = Integer.parseUnsignedInt(hex, 16);
      if (!Character.isValidCodePoint(code) || (code >= 0xD800 && code <= 0xDFFF)) {
        throw new NumberFormatException(hex);
      }
      return code;
    } catch (NumberFormatException | IndexOutOfBoundsException e) {
      throw JinjaException.at(line, "a string has an escape that is no character");
    }
  }
}
