package dev.murmuration.report;

/** Text in HTML. */
final class Html {
  private Html() {}

  /** A text as the content of an element or of an attribute in double quotation marks. */
  static String escaped(String text) {
    StringBuilder escaped = new StringBuilder(text.length());
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '&' -> escaped.append("&amp;");
        case '<' -> escaped.append("&lt;");
        case '>' -> escaped.append("&gt;");
        case '"' -> escaped.append("&quot;");
        default -> escaped.append(c < ' ' && c != '\n' && c != '\t' ? '\ufffd' : c);
      }
    }
    return escaped.toString();
  }

  /** JSON as the content of a script element, which ends at the first {@code </}. */
  static String json(String json) {
    return json.replace("<", "\\u003c");
  }
}
