package dev.murmuration.evaluation;

import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Counts marks of Markdown, whose looks reward models are known to like. */
final class Markdown {
  private static final Pattern MARK =
      Pattern.compile("(?m)^ {0,3}(#{1,6} |[-*+] |\\d{1,3}[.)] |```|> |\\|)|\\*\\*[^*\\n]+\\*\\*");

  private Markdown() {}

  static int marks(String text) {
    Matcher matcher = MARK.matcher(text);
    int count = 0;
    while (matcher.find()) {
      count++;
    }
    return count;
  }
}
