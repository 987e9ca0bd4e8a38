package dev.murmuration.reward;

import dev.murmuration.llama.Vocabulary;
import dev.murmuration.llama.Vocabulary.Piece;
import dev.murmuration.model.TextRules;
import java.util.List;
import java.util.stream.Collectors;

/**
 * Breaks up the marks in what users wrote, such as {@code </s>}, so that a template's own are the
 * only ones in a text: a character that is in none of the texts is put into each of them, and
 * {@link TextTokenizer} takes it out again. Any thread may use it.
 */
final class LiteralText {
  // Noncharacters: Unicode keeps them for uses like this one.
  private static final char FIRST = '\ufdd0';
  private static final char LAST = '\ufdef';

  private final Vocabulary vocabulary;
  private final TextRules rules;

  LiteralText(Vocabulary vocabulary, TextRules rules) {
    this.vocabulary = vocabulary;
    this.rules = rules;
  }

  /** A character that is in none of the texts. */
  static char breaker(List<String> texts) {
    for (char c = FIRST; c <= LAST; c++) {
      String s = String.valueOf(c);
      if (texts.stream().noneMatch(text -> text.contains(s))) {
        return c;
      }
    }
    throw new IllegalArgumentException(
        "the text holds all of the characters U+FDD0 to U+FDEF, which stand for nothing; one of"
            + " them is needed to read it literally: take them out");
  }

  /** The same conversation without marks. */
  Conversation broken(Conversation conversation, char breaker) {
    return new Conversation(
        conversation.messages().stream()
            .map(message -> new Message(message.role(), broken(message.content(), breaker)))
            .toList());
  }

  /** The same text without marks. */
  String broken(String text, char breaker) {
    String whole =
        vocabulary.pieces(text).stream()
            .map(piece -> broken(piece, breaker))
            .collect(Collectors.joining());
    // The template's text before and behind it must not complete a mark either. Blanks at the ends
    // are left out of account, because a template may strip them.
    String inner = whole.strip();
    if (inner.isEmpty()) {
      return whole;
    }
    int start = whole.indexOf(inner);
    boolean begins = vocabulary.mayBeginInSpecial(inner);
    boolean ends = vocabulary.mayEndInSpecial(inner);
    return whole.substring(0, start)
        + (begins ? breaker : "")
        + inner
        + (ends ? breaker : "")
        + whole.substring(start + inner.length());
  }

  private String broken(Piece piece, char breaker) {
    if (piece.token() < 0) {
      return piece.text();
    }
    String mark = vocabulary.specialText(piece.token());
    if (rules.userDefined().contains(piece.token())) {
      return mark;
    }
    int head = mark.offsetByCodePoints(0, 1);
    if (head == mark.length()) {
      throw new IllegalArgumentException(
          "the text holds '" + mark + "', a mark of one character, which cannot be read literally");
    }
    return mark.substring(0, head) + breaker + mark.substring(head);
  }
}
