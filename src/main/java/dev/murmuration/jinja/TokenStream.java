package dev.murmuration.jinja;

import dev.murmuration.jinja.Token.Kind;
import java.util.List;

/** The tokens of a template, read from the front. */
final class TokenStream {
  private final List<Token> tokens;
  private int position;

  TokenStream(List<Token> tokens) {
    this.tokens = tokens;
  }

  Token peek() {
    return peek(0);
  }

  Token peek(int ahead) {
    return tokens.get(Math.min(position + ahead, tokens.size() - 1));
  }

  Token next() {
    Token token = peek();
    position++;
    return token;
  }

  int line() {
    return peek().line();
  }

  boolean skip(String operator) {
    boolean found = peek().isOperator(operator);
    position += found ? 1 : 0;
    return found;
  }

  boolean skipName(String name) {
    boolean found = peek().isName(name);
    position += found ? 1 : 0;
    return found;
  }

  void expect(String operator) {
    if (!skip(operator)) {
      throw problem("'" + operator + "' is missing before " + peek().shown());
    }
  }

  Token expect(Kind kind) {
    if (peek().kind() != kind) {
      throw unexpected(peek());
    }
    return next();
  }

  String name() {
    return expect(Kind.NAME).text();
  }

  JinjaException problem(String message) {
    return JinjaException.at(line(), message);
  }

  JinjaException unexpected(Token token) {
    return JinjaException.at(token.line(), token.shown() + " is not expected here");
  }
}
