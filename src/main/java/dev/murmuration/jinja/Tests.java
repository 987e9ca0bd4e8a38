package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Function;
import dev.murmuration.jinja.Values.Generator;
import dev.murmuration.jinja.Values.Range;
import dev.murmuration.jinja.Values.Tuple;
import dev.murmuration.jinja.Values.Undefined;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Jinja2's tests: what stands behind {@code is}. */
final class Tests {
  static final Set<String> NAMES =
      Set.of(
          "defined",
          "undefined",
          "none",
          "string",
          "number",
          "integer",
          "float",
          "boolean",
          "true",
          "false",
          "mapping",
          "iterable",
          "sequence",
          "callable",
          "sameas",
          "odd",
          "even",
          "divisibleby",
          "lower",
          "upper",
          "in",
          "eq",
          "equalto",
          "==",
          "ne",
          "!=",
          "lt",
          "lessthan",
          "<",
          "le",
          "<=",
          "gt",
          "greaterthan",
          ">",
          "ge",
          ">=");

  private static final Map<String, String> COMPARISONS =
      Map.ofEntries(
          Map.entry("in", "in"),
          Map.entry("eq", "=="),
          Map.entry("equalto", "=="),
          Map.entry("==", "=="),
          Map.entry("ne", "!="),
          Map.entry("!=", "!="),
          Map.entry("lt", "<"),
          Map.entry("lessthan", "<"),
          Map.entry("<", "<"),
          Map.entry("le", "<="),
          Map.entry("<=", "<="),
          Map.entry("gt", ">"),
          Map.entry("greaterthan", ">"),
          Map.entry(">", ">"),
          Map.entry("ge", ">="),
          Map.entry(">=", ">="));

  private final Operators operators;

  Tests(Operators operators) {
    this.operators = operators;
  }

  boolean test(String name, Object value, List<Object> arguments) {
    if (!NAMES.contains(name)) {
      throw new JinjaException("the test '" + name + "' is not supported");
    }
    String comparison = COMPARISONS.get(name);
    boolean takesOne = comparison != null || Set.of("sameas", "divisibleby").contains(name);
    if (arguments.size() != (takesOne ? 1 : 0)) {
      throw new JinjaException(
          "the test '" + name + "' takes " + (takesOne ? "one" : "no") + " argument");
    }
    if (comparison != null) {
      return operators.compare(comparison, value, arguments.getFirst());
    }
    return switch (name) {
      case "defined" -> !(value instanceof Undefined);
      case "undefined" -> value instanceof Undefined;
      case "none" -> Values.isNone(value);
      case "string" -> value instanceof String;
      case "number" -> Values.isNumber(value);
      case "integer" -> value instanceof Long;
      case "float" -> value instanceof Double;
      case "boolean" -> value instanceof Boolean;
      case "true" -> Boolean.TRUE.equals(value);
      case "false" -> Boolean.FALSE.equals(value);
      case "mapping" -> value instanceof Map;
      case "iterable" -> sequence(value) || value instanceof Generator;
      case "sequence" -> sequence(value);
      case "callable" -> value instanceof Function || value instanceof Undefined;
      case "sameas" -> sameAs(value, arguments.getFirst());
      case "odd" -> Math.floorMod(Values.integer(value), 2) == 1;
      case "even" -> Math.floorMod(Values.integer(value), 2) == 0;
      case "divisibleby" -> (Long) operators.binary("%", value, arguments.getFirst()) == 0;
      default -> letters(name, value);
    };
  }

  private static boolean sequence(Object value) {
    return value instanceof String
        || value instanceof List
        || value instanceof Tuple
        || value instanceof Range
        || value instanceof Map
        || value instanceof Undefined;
  }

  private static boolean sameAs(Object a, Object b) {
    if (a instanceof Boolean || b instanceof Boolean || Values.isNone(a) || Values.isNone(b)) {
      return a.equals(b);
    }
    throw new JinjaException("the test 'sameas' is supported for true, false and none only");
  }

  private static boolean letters(String name, Object value) {
    if (!(value instanceof String s)) {
      throw new JinjaException("the test '" + name + "' is for strings");
    }
    boolean cased =
        s.codePoints().anyMatch(c -> Character.isUpperCase(c) || Character.isLowerCase(c));
    return cased
        && s.equals(name.equals("lower") ? s.toLowerCase(Locale.ROOT) : s.toUpperCase(Locale.ROOT));
  }
}
