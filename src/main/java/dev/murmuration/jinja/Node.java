package dev.murmuration.jinja;

import java.util.List;
import java.util.Map;

/** What a template consists of. */
sealed interface Node {
  /** Statements; a name for tests of scope and loops is a target. */
  sealed interface Statement extends Node {}

  /** What has a value. */
  sealed interface Expression extends Node {}

  record Data(String text) implements Statement {}

  record Output(Expression value, int line) implements Statement {}

  record Branch(Expression condition, List<Statement> then, List<Statement> otherwise, int line)
      implements Statement {}

  /** {@code filter} is null where there is none. */
  record For(
      Expression target,
      Expression items,
      Expression filter,
      List<Statement> body,
      List<Statement> otherwise,
      int line)
      implements Statement {}

  record Assign(Expression target, Expression value, int line) implements Statement {}

  /** The text of the body; {@code filters} are applied to {@link Captured}. */
  record AssignBlock(Expression target, List<Statement> body, Expression filters, int line)
      implements Statement {}

  /** {@code defaults} belong to the last parameters. */
  record Macro(
      String name,
      List<String> parameters,
      List<Expression> defaults,
      List<Statement> body,
      int line)
      implements Statement {}

  record Generation(List<Statement> body) implements Statement {}

  record Break() implements Statement {}

  record Continue() implements Statement {}

  record Constant(Object value) implements Expression {}

  /** What a block set has collected. */
  record Captured() implements Expression {}

  record Name(String name) implements Expression {}

  record TupleOf(List<Expression> items) implements Expression {}

  record ListOf(List<Expression> items) implements Expression {}

  record DictOf(List<Expression> keys, List<Expression> values) implements Expression {}

  /** {@code otherwise} is null where there is no else. */
  record Conditional(Expression condition, Expression then, Expression otherwise)
      implements Expression {}

  record And(Expression left, Expression right) implements Expression {}

  record Or(Expression left, Expression right) implements Expression {}

  record Not(Expression value) implements Expression {}

  /** Negative, or positive. */
  record Sign(boolean negative, Expression value) implements Expression {}

  record Binary(String operator, Expression left, Expression right) implements Expression {}

  record Concat(List<Expression> parts) implements Expression {}

  /** {@code a < b < c} as Python reads it. */
  record Compare(Expression first, List<String> operators, List<Expression> others)
      implements Expression {}

  record Attribute(Expression object, String name) implements Expression {}

  record Index(Expression object, Expression key) implements Expression {}

  /** Null where a bound is left out. */
  record Slice(Expression object, Expression from, Expression to, Expression step)
      implements Expression {}

  record Call(Expression function, Arguments arguments) implements Expression {}

  record Filter(Expression value, String name, Arguments arguments) implements Expression {}

  record Test(Expression value, String name, Arguments arguments) implements Expression {}

  record Arguments(List<Expression> positional, Map<String, Expression> named) {
    static final Arguments NONE = new Arguments(List.of(), Map.of());
  }
}
