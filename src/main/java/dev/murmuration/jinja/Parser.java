package dev.murmuration.jinja;

import dev.murmuration.jinja.Node.Expression;
import dev.murmuration.jinja.Node.Statement;
import dev.murmuration.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/** Reads the statements of a template. */
final class Parser {
  private static final int DEPTH = 40;

  private final TokenStream tokens;
  private final ExpressionParser expressions;
  private int depth;
  private int loops;

  private Parser(TokenStream tokens) {
    this.tokens = tokens;
    this.expressions = new ExpressionParser(tokens);
  }

  static List<Statement> parse(String template) {
    Parser parser = new Parser(new TokenStream(Lexer.tokens(template)));
    List<Statement> body = parser.body(Set.of());
    parser.tokens.expect(Kind.END);
    return body;
  }

  /** Up to a tag with one of these names, of which tag and name are read; or up to the end. */
  private List<Statement> body(Set<String> ends) {
    if (++depth > DEPTH) {
      throw tokens.problem("blocks nest more than " + DEPTH + " levels deep");
    }
    List<Statement> body = new ArrayList<>();
    while (tokens.peek().kind() != Kind.END) {
      Token token = tokens.next();
      switch (token.kind()) {
        case DATA -> body.add(new Node.Data(token.text()));
        case OUTPUT_BEGIN -> {
          body.add(new Node.Output(expressions.tuple(true), token.line()));
          tokens.expect(Kind.OUTPUT_END);
        }
        case BLOCK_BEGIN -> {
          if (tokens.peek().kind() == Kind.NAME && ends.contains(tokens.peek().text())) {
            depth--;
            return body;
          }
          body.add(statement());
        }
        default -> throw tokens.unexpected(token);
      }
    }
    if (!ends.isEmpty()) {
      throw tokens.problem(
          "a block has no end; one of " + ends.stream().sorted().toList() + " is missing");
    }
    depth--;
    return body;
  }

  private List<Statement> bodyUntil(String end) {
    tokens.expect(Kind.BLOCK_END);
    List<Statement> body = body(Set.of(end));
    tokens.next();
    tokens.expect(Kind.BLOCK_END);
    return body;
  }

  private Statement statement() {
    int line = tokens.line();
    String tag = tokens.name();
    return switch (tag) {
      case "if" -> branch(line);
      case "for" -> loop(line);
      case "set" -> set(line);
      case "macro" -> macro(line);
      case "generation" -> new Node.Generation(bodyUntil("endgeneration"));
      case "break", "continue" -> {
        if (loops == 0) {
          throw JinjaException.at(line, "'" + tag + "' is outside a loop");
        }
        tokens.expect(Kind.BLOCK_END);
        yield tag.equals("break") ? new Node.Break() : new Node.Continue();
      }
      default -> throw JinjaException.at(line, "the tag '" + tag + "' is not supported here");
    };
  }

  private Statement branch(int line) {
    Expression condition = expressions.tuple(true);
    tokens.expect(Kind.BLOCK_END);
    List<Statement> then = body(Set.of("elif", "else", "endif"));
    int nextLine = tokens.line();
    String next = tokens.name();
    List<Statement> otherwise = List.of();
    if (next.equals("elif")) {
      if (++depth > 2 * DEPTH) {
        throw tokens.problem("there are more than " + DEPTH + " branches");
      }
      otherwise = List.of(branch(nextLine));
      depth--;
      return new Node.Branch(condition, then, otherwise, line);
    }
    if (next.equals("else")) {
      otherwise = bodyUntil("endif");
    } else {
      tokens.expect(Kind.BLOCK_END);
    }
    return new Node.Branch(condition, then, otherwise, line);
  }

  private Statement loop(int line) {
    Expression target = expressions.target(false);
    if (!tokens.skipName("in")) {
      throw tokens.problem("'in' is missing");
    }
    Expression items = expressions.tuple(false);
    Expression filter = tokens.skipName("if") ? expressions.expression() : null;
    if (tokens.peek().isName("recursive")) {
      throw tokens.problem("a recursive loop is not supported");
    }
    tokens.expect(Kind.BLOCK_END);
    loops++;
    List<Statement> body = body(Set.of("else", "endfor"));
    loops--;
    List<Statement> otherwise = List.of();
    if (tokens.name().equals("else")) {
      otherwise = bodyUntil("endfor");
    } else {
      tokens.expect(Kind.BLOCK_END);
    }
    return new Node.For(target, items, filter, body, otherwise, line);
  }

  private Statement set(int line) {
    Expression target = expressions.target(true);
    if (tokens.skip("=")) {
      Expression value = expressions.tuple(true);
      tokens.expect(Kind.BLOCK_END);
      return new Node.Assign(target, value, line);
    }
    Expression filters = new Node.Captured();
    while (tokens.skip("|")) {
      filters = expressions.filter(filters);
    }
    return new Node.AssignBlock(target, bodyUntil("endset"), filters, line);
  }

  private Statement macro(int line) {
    String name = tokens.name();
    List<String> parameters = new ArrayList<>();
    List<Expression> defaults = new ArrayList<>();
    tokens.expect("(");
    while (!tokens.skip(")")) {
      parameters.add(tokens.name());
      if (tokens.skip("=")) {
        defaults.add(expressions.expression());
      } else if (!defaults.isEmpty()) {
        throw tokens.problem("a parameter without a default follows one with a default");
      }
      if (!tokens.peek().isOperator(")")) {
        tokens.expect(",");
      }
    }
    int outer = loops;
    loops = 0;
    List<Statement> body = bodyUntil("endmacro");
    loops = outer;
    return new Node.Macro(name, parameters, defaults, body, line);
  }
}
