package dev.murmuration.jinja;

import dev.murmuration.jinja.Node.Arguments;
import dev.murmuration.jinja.Node.Expression;
import dev.murmuration.jinja.Token.Kind;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Reads expressions with the precedence of Jinja2's {@code parser.py}. */
final class ExpressionParser {
  private static final Set<String> COMPARISONS = Set.of("==", "!=", "<", "<=", ">", ">=");
  private static final int DEPTH = 40;

  private final TokenStream tokens;
  private int depth;

  ExpressionParser(TokenStream tokens) {
    this.tokens = tokens;
  }

  Expression expression() {
    if (++depth > DEPTH) {
      throw tokens.problem("an expression nests more than " + DEPTH + " levels deep");
    }
    Expression value = or();
    while (tokens.skipName("if")) {
      Expression condition = or();
      Expression otherwise = tokens.skipName("else") ? expression() : null;
      value = new Node.Conditional(condition, value, otherwise);
    }
    depth--;
    return value;
  }

  /** One expression, or several with commas between them, which are a tuple. */
  Expression tuple(boolean conditions) {
    Expression first = conditions ? expression() : or();
    if (!tokens.peek().isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skip(",") && !tupleEnds()) {
      items.add(conditions ? expression() : or());
    }
    return new Node.TupleOf(items);
  }

  private boolean tupleEnds() {
    Token next = tokens.peek();
    return next.kind() == Kind.BLOCK_END
        || next.kind() == Kind.OUTPUT_END
        || next.isOperator(")")
        || next.isOperator("=")
        || next.isName("in");
  }

  /** What a loop or an assignment sets. */
  Expression target(boolean attributes) {
    Expression first = oneTarget(attributes);
    if (!tokens.peek().isOperator(",")) {
      return first;
    }
    List<Expression> items = new ArrayList<>(List.of(first));
    while (tokens.skip(",") && !tupleEnds()) {
      items.add(oneTarget(false));
    }
    return new Node.TupleOf(items);
  }

  private Expression oneTarget(boolean attributes) {
    if (tokens.skip("(")) {
      Expression inner = target(false);
      tokens.expect(")");
      return inner;
    }
    String name = tokens.name();
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw tokens.problem("'" + name + "' cannot be set");
    }
    return attributes && tokens.skip(".")
        ? new Node.Attribute(new Node.Name(name), tokens.name())
        : new Node.Name(name);
  }

  private Expression or() {
    Expression left = and();
    int length = 0;
    while (tokens.skipName("or")) {
      chain(++length);
      left = new Node.Or(left, and());
    }
    return left;
  }

  private Expression and() {
    Expression left = not();
    int length = 0;
    while (tokens.skipName("and")) {
      chain(++length);
      left = new Node.And(left, not());
    }
    return left;
  }

  /** A chain of operators is evaluated by calls within calls. */
  private void chain(int length) {
    if (length > 100) {
      throw tokens.problem("an expression has more than 100 operators in a row");
    }
  }

  private Expression not() {
    int count = 0;
    while (tokens.skipName("not")) {
      count++;
    }
    Expression value = compare();
    return count == 0 ? value : new Node.Not(count % 2 == 1 ? value : new Node.Not(value));
  }

  private Expression compare() {
    Expression first = sum();
    List<String> operators = new ArrayList<>();
    List<Expression> others = new ArrayList<>();
    while (true) {
      Token next = tokens.peek();
      if (next.kind() == Kind.OPERATOR && COMPARISONS.contains(next.text())) {
        operators.add(tokens.next().text());
      } else if (tokens.skipName("in")) {
        operators.add("in");
      } else if (next.isName("not") && tokens.peek(1).isName("in")) {
        tokens.next();
        tokens.next();
        operators.add("not in");
      } else {
        return operators.isEmpty() ? first : new Node.Compare(first, operators, others);
      }
      others.add(sum());
    }
  }

  private Expression sum() {
    Expression left = concat();
    int length = 0;
    while (tokens.peek().isOperator("+") || tokens.peek().isOperator("-")) {
      chain(++length);
      left = new Node.Binary(tokens.next().text(), left, concat());
    }
    return left;
  }

  private Expression concat() {
    Expression first = product();
    if (!tokens.peek().isOperator("~")) {
      return first;
    }
    List<Expression> parts = new ArrayList<>(List.of(first));
    while (tokens.skip("~")) {
      parts.add(product());
    }
    return new Node.Concat(parts);
  }

  private Expression product() {
    Expression left = power();
    int length = 0;
    while (tokens.peek().kind() == Kind.OPERATOR
        && Set.of("*", "/", "//", "%").contains(tokens.peek().text())) {
      chain(++length);
      left = new Node.Binary(tokens.next().text(), left, power());
    }
    return left;
  }

  private Expression power() {
    Expression left = unary(true);
    if (tokens.peek().isOperator("**")) {
      throw tokens.problem("the operator '**' is not supported");
    }
    return left;
  }

  private Expression unary(boolean filters) {
    Expression value;
    if (tokens.peek().isOperator("-") || tokens.peek().isOperator("+")) {
      if (++depth > DEPTH) {
        throw tokens.problem("an expression nests more than " + DEPTH + " levels deep");
      }
      value = new Node.Sign(tokens.next().isOperator("-"), unary(false));
      depth--;
    } else {
      value = primary();
    }
    value = postfix(value);
    return filters ? filters(value) : value;
  }

  private Expression primary() {
    Token token = tokens.next();
    return switch (token.kind()) {
      case NAME ->
          switch (token.text()) {
            case "true", "True" -> new Node.Constant(true);
            case "false", "False" -> new Node.Constant(false);
            case "none", "None" -> new Node.Constant(Values.NONE);
            default -> new Node.Name(token.text());
          };
      case STRING -> {
        StringBuilder text = new StringBuilder(token.text());
        while (tokens.peek().kind() == Kind.STRING) {
          text.append(tokens.next().text());
        }
        yield new Node.Constant(text.toString());
      }
      case INTEGER -> new Node.Constant(integer(token));
      case FLOAT -> new Node.Constant(Double.parseDouble(token.text()));
      case OPERATOR ->
          switch (token.text()) {
            case "(" -> parentheses();
            case "[" -> new Node.ListOf(items("]"));
            case "{" -> dict();
            default -> throw tokens.unexpected(token);
          };
      default -> throw tokens.unexpected(token);
    };
  }

  private static Long integer(Token token) {
    try {
      return Long.valueOf(token.text());
    } catch (NumberFormatException e) {
      throw JinjaException.at(token.line(), "the number " + token.text() + " is too large");
    }
  }

  private Expression parentheses() {
    if (tokens.skip(")")) {
      return new Node.TupleOf(List.of());
    }
    Expression inner = tuple(true);
    tokens.expect(")");
    return inner;
  }

  private List<Expression> items(String end) {
    List<Expression> items = new ArrayList<>();
    while (!tokens.skip(end)) {
      items.add(expression());
      if (!tokens.peek().isOperator(end)) {
        tokens.expect(",");
      }
    }
    return items;
  }

  private Expression dict() {
    List<Expression> keys = new ArrayList<>();
    List<Expression> values = new ArrayList<>();
    while (!tokens.skip("}")) {
      keys.add(expression());
      tokens.expect(":");
      values.add(expression());
      if (!tokens.peek().isOperator("}")) {
        tokens.expect(",");
      }
    }
    return new Node.DictOf(keys, values);
  }

  private Expression postfix(Expression start) {
    Expression value = start;
    for (int length = 1; ; length++) {
      chain(length);
      if (tokens.skip(".")) {
        Token name = tokens.next();
        value =
            switch (name.kind()) {
              case NAME -> new Node.Attribute(value, name.text());
              case INTEGER -> new Node.Index(value, new Node.Constant(integer(name)));
              default -> throw tokens.unexpected(name);
            };
      } else if (tokens.skip("[")) {
        value = subscript(value);
      } else if (tokens.skip("(")) {
        value = new Node.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expression subscript(Expression object) {
    Expression from = tokens.peek().isOperator(":") ? null : expression();
    if (!tokens.skip(":")) {
      if (tokens.peek().isOperator(",")) {
        throw tokens.problem("an index of several parts is not supported");
      }
      tokens.expect("]");
      return new Node.Index(object, from);
    }
    Token next = tokens.peek();
    Expression to = next.isOperator(":") || next.isOperator("]") ? null : expression();
    Expression step = tokens.skip(":") && !tokens.peek().isOperator("]") ? expression() : null;
    tokens.expect("]");
    return new Node.Slice(object, from, to, step);
  }

  /** Behind the opening parenthesis. */
  private Arguments arguments() {
    List<Expression> positional = new ArrayList<>();
    Map<String, Expression> named = new LinkedHashMap<>();
    while (!tokens.skip(")")) {
      if (tokens.peek().isOperator("*") || tokens.peek().isOperator("**")) {
        throw tokens.problem("arguments with '" + tokens.peek().text() + "' are not supported");
      }
      if (tokens.peek().kind() == Kind.NAME && tokens.peek(1).isOperator("=")) {
        String name = tokens.name();
        tokens.next();
        if (named.put(name, expression()) != null) {
          throw tokens.problem("the argument '" + name + "' is given twice");
        }
      } else if (!named.isEmpty()) {
        throw tokens.problem("an argument without a name follows one with a name");
      } else {
        positional.add(expression());
      }
      if (!tokens.peek().isOperator(")")) {
        tokens.expect(",");
      }
    }
    return new Arguments(positional, named);
  }

  private Expression filters(Expression start) {
    Expression value = start;
    for (int length = 1; ; length++) {
      chain(length);
      if (tokens.skip("|")) {
        value = filter(value);
      } else if (tokens.skipName("is")) {
        value = test(value);
      } else if (tokens.skip("(")) {
        value = new Node.Call(value, arguments());
      } else {
        return value;
      }
    }
  }

  /** Behind the bar. */
  Expression filter(Expression value) {
    String name = tokens.name();
    return new Node.Filter(value, name, tokens.skip("(") ? arguments() : Arguments.NONE);
  }

  private Expression test(Expression value) {
    boolean negated = tokens.skipName("not");
    String name = tokens.name();
    Arguments arguments = Arguments.NONE;
    if (tokens.skip("(")) {
      arguments = arguments();
    } else if (testHasArgument()) {
      arguments = new Arguments(List.of(postfix(primary())), Map.of());
    }
    Expression test = new Node.Test(value, name, arguments);
    return negated ? new Node.Not(test) : test;
  }

  private boolean testHasArgument() {
    Token next = tokens.peek();
    return switch (next.kind()) {
      case STRING, INTEGER, FLOAT -> true;
      case OPERATOR -> next.isOperator("[") || next.isOperator("{");
      case NAME -> !Set.of("else", "or", "and", "if", "is", "in", "not").contains(next.text());
      default -> false;
    };
  }
}
