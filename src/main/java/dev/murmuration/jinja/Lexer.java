package dev.murmuration.jinja;

import dev.murmuration.jinja.Token.Kind;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Splits a template as Jinja2's {@code lexer.py} does with {@code trim_blocks} and {@code
 * lstrip_blocks}, as transformers sets them.
 */
final class Lexer {
  private static final Pattern NUMBER =
      Pattern.compile(
          "(?<float>[0-9][0-9_]*+(?:\\.[0-9][0-9_]*+)(?:[eE][+-]?[0-9]+)?|[0-9]++[eE][+-]?[0-9]+)|[0-9][0-9_]*+");
  private static final List<String> OPERATORS =
      List.of(
          "**", "//", "==", "!=", "<=", ">=", "+", "-", "*", "/", "%", "~", "<", ">", "=", "(", ")",
          "[", "]", "{", "}", ",", ":", ".", "|", ";");

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private int position;
  private int line = 1;
  private boolean lineStarting = true;

  private Lexer(String source) {
    this.source = source;
  }

  static List<Token> tokens(String template) {
    String text = template.replace("\r\n", "\n").replace('\r', '\n');
    Lexer lexer = new Lexer(text.endsWith("\n") ? text.substring(0, text.length() - 1) : text);
    lexer.run();
    return lexer.tokens;
  }

  private void run() {
    while (position < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(source.substring(position));
        position = source.length();
        break;
      }
      char kind = source.charAt(tag + 1);
      char sign = tag + 2 < source.length() ? source.charAt(tag + 2) : ' ';
      boolean signed = sign == '-' || (sign == '+' && kind != '{');
      data(before(tag, kind, signed ? sign : ' '));
      count(position, tag);
      position = tag + (signed ? 3 : 2);
      if (kind == '#') {
        comment();
      } else if (kind == '{') {
        tag(Kind.OUTPUT_BEGIN, Kind.OUTPUT_END, "}}");
      } else if (!raw()) {
        tag(Kind.BLOCK_BEGIN, Kind.BLOCK_END, "%}");
      }
      lineStarting = source.charAt(position - 1) == '\n';
    }
    add(Kind.END, "");
  }

  private int nextTag() {
    for (int at = source.indexOf('{', position); at >= 0; at = source.indexOf('{', at + 1)) {
      if (at + 1 < source.length() && "{%#".indexOf(source.charAt(at + 1)) >= 0) {
        return at;
      }
    }
    return -1;
  }

  /** The text in front of a tag, without the blanks that the tag takes away. */
  private String before(int tag, char kind, char sign) {
    String text = source.substring(position, tag);
    if (sign == '-') {
      return PyString.stripEnd(text);
    }
    int lineStart = text.lastIndexOf('\n') + 1;
    boolean alone = lineStart > 0 || lineStarting;
    if (kind != '{'
        && sign != '+'
        && alone
        && PyString.strip(text.substring(lineStart)).isEmpty()) {
      return text.substring(0, lineStart);
    }
    return text;
  }

  private void data(String text) {
    if (!text.isEmpty()) {
      add(Kind.DATA, text);
    }
  }

  private void add(Kind kind, String text) {
    tokens.add(new Token(kind, text, line));
  }

  private void count(int from, int to) {
    for (int i = from; i < to; i++) {
      if (source.charAt(i) == '\n') {
        line++;
      }
    }
  }

  private void comment() {
    int end = source.indexOf("#}", position);
    if (end < 0) {
      throw JinjaException.at(line, "the comment has no end '#}'");
    }
    count(position, end);
    position = end;
    closeTag("#}", source.charAt(end - 1), true);
  }

  /** Moves behind the end of a tag, and behind the blanks that it takes away. */
  private void closeTag(String end, char sign, boolean trim) {
    int start = position;
    position += end.length();
    if (sign == '-') {
      while (position < source.length() && PyString.isSpace(source.charAt(position))) {
        position++;
      }
    } else if (sign != '+'
        && trim
        && position < source.length()
        && source.charAt(position) == '\n') {
      position++;
    }
    count(start, position);
  }

  private static final Pattern RAW = Pattern.compile("\\s*raw\\s*(?:(-)%\\}\\s*|%\\})");
  private static final Pattern END_RAW = Pattern.compile("\\{%([-+]?)\\s*endraw\\s*([-+]?)%\\}");

  private boolean raw() {
    Matcher begin = RAW.matcher(source).region(position, source.length());
    if (!begin.lookingAt()) {
      return false;
    }
    Matcher end = END_RAW.matcher(source);
    if (!end.find(begin.end())) {
      throw JinjaException.at(line, "'raw' has no 'endraw'");
    }
    count(position, begin.end());
    position = begin.end();
    lineStarting = source.charAt(position - 1) == '\n';
    String sign = end.group(1);
    data(before(end.start(), '%', sign.isEmpty() ? ' ' : sign.charAt(0)));
    count(position, end.start());
    position = end.end() - 2;
    closeTag("%}", end.group(2).isEmpty() ? ' ' : end.group(2).charAt(0), true);
    return true;
  }

  private void tag(Kind begin, Kind end, String mark) {
    add(begin, "");
    Deque<Character> open = new ArrayDeque<>();
    while (true) {
      skipBlanks();
      if (position >= source.length()) {
        throw JinjaException.at(line, "the tag has no end '" + mark + "'");
      }
      if (open.isEmpty()) {
        char sign = source.charAt(position);
        boolean signed = sign == '-' || (sign == '+' && end == Kind.BLOCK_END);
        if (source.startsWith(mark, position + (signed ? 1 : 0))) {
          position += signed ? 1 : 0;
          add(end, "");
          closeTag(mark, signed ? sign : ' ', end == Kind.BLOCK_END);
          return;
        }
      }
      token(open);
    }
  }

  private void skipBlanks() {
    int start = position;
    while (position < source.length() && PyString.isSpace(source.charAt(position))) {
      position++;
    }
    count(start, position);
  }

  private void token(Deque<Character> open) {
    char c = source.charAt(position);
    if (c == '\'' || c == '"') {
      string(c);
    } else if (c >= '0' && c <= '9') {
      number();
    } else if (c == '_' || Character.isLetter(c)) {
      int start = position;
      while (position < source.length()
          && (source.charAt(position) == '_'
              || Character.isLetterOrDigit(source.charAt(position)))) {
        position++;
      }
      add(Kind.NAME, source.substring(start, position));
    } else {
      operator(open);
    }
  }

  private void number() {
    // "x.0.y": what follows a point is an index, not a fraction.
    boolean index = !tokens.isEmpty() && tokens.getLast().isOperator(".");
    Matcher number = NUMBER.matcher(source).region(position, source.length());
    if (!number.lookingAt()) {
      throw JinjaException.at(line, "a number cannot be read");
    }
    boolean fraction = number.group("float") != null && !index;
    int end = number.end();
    if (index) {
      end = position;
      while (end < source.length() && Character.isDigit(source.charAt(end))) {
        end++;
      }
    }
    if (end < source.length() && Character.isLetter(source.charAt(end)) && !index) {
      throw JinjaException.at(
          line, "the number " + source.substring(position, end + 1) + "… is not decimal");
    }
    add(fraction ? Kind.FLOAT : Kind.INTEGER, source.substring(position, end).replace("_", ""));
    position = end;
  }

  private void operator(Deque<Character> open) {
    for (String operator : OPERATORS) {
      if (source.startsWith(operator, position)) {
        balance(operator.charAt(0), open);
        add(Kind.OPERATOR, operator);
        position += operator.length();
        return;
      }
    }
    throw JinjaException.at(
        line, "there is no operator '" + Character.toString(source.codePointAt(position)) + "'");
  }

  private void balance(char c, Deque<Character> open) {
    int opening = "([{".indexOf(c);
    int closing = ")]}".indexOf(c);
    if (opening >= 0) {
      open.push(")]}".charAt(opening));
    } else if (closing >= 0 && (open.isEmpty() || open.pop() != c)) {
      throw JinjaException.at(line, "'" + c + "' closes nothing");
    }
  }

  private void string(char quote) {
    int end = position + 1;
    while (end < source.length() && source.charAt(end) != quote) {
      end += source.charAt(end) == '\\' ? 2 : 1;
    }
    if (end >= source.length()) {
      throw JinjaException.at(line, "a string has no end " + quote);
    }
    add(Kind.STRING, Escapes.decode(source.substring(position + 1, end), line));
    count(position, end);
    position = end + 1;
  }
}
