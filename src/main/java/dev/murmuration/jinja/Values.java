package dev.murmuration.jinja;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * Python's values: String, Long, Double, Boolean, {@link #NONE}, List, {@link Tuple}, {@link
 * Range}, Map, {@link Generator}, {@link Undefined}, {@link Namespace}, a loop and functions.
 * Nothing else ever gets into a template, so nothing of Java can be reached from one.
 */
final class Values {
  /** Python's None. */
  static final Object NONE =
      new Object() {
        @Override
        public String toString() {
          return "None";
        }
      };

  record Tuple(List<Object> items) {}

  record Range(List<Object> items) {}

  /** What is missing. {@code silent} is whether it may be printed, as nothing. */
  record Undefined(String what, boolean silent) {
    JinjaException problem() {
      return new JinjaException(what);
    }
  }

  /** Equal to itself alone: it may hold itself, and comparing what it holds would not end. */
  static final class Namespace {
    private final Map<String, Object> values;

    Namespace(Map<String, Object> values) {
      this.values = values;
    }

    Map<String, Object> values() {
      return values;
    }
  }

  /** A macro or a function of ours. */
  @FunctionalInterface
  interface Function {
    Object call(List<Object> positional, Map<String, Object> named);
  }

  /** What map, select and their like give: true whatever it holds, and can be read once. */
  static final class Generator {
    private List<Object> items;

    Generator(List<Object> items) {
      this.items = items;
    }

    List<Object> take() {
      List<Object> all = items;
      items = List.of();
      return all;
    }

    Object takeFirst(Object none) {
      if (items.isEmpty()) {
        return none;
      }
      Object first = items.getFirst();
      items = items.subList(1, items.size());
      return first;
    }
  }

  private Values() {}

  static boolean isNone(Object value) {
    return NONE.equals(value);
  }

  static boolean truth(Object value) {
    return switch (value) {
      case Boolean b -> b;
      case String s -> !s.isEmpty();
      case Long n -> n != 0;
      case Double d -> d != 0;
      case List<?> l -> !l.isEmpty();
      case Tuple t -> !t.items().isEmpty();
      case Range r -> !r.items().isEmpty();
      case Map<?, ?> m -> !m.isEmpty();
      case Undefined _ -> false;
      default -> !isNone(value);
    };
  }

  /** A type's name, as Python calls it. */
  static String type(Object value) {
    return switch (value) {
      case Boolean _ -> "bool";
      case String _ -> "str";
      case Long _ -> "int";
      case Double _ -> "float";
      case List<?> _ -> "list";
      case Tuple _ -> "tuple";
      case Range _ -> "range";
      case Map<?, ?> _ -> "dict";
      case Generator _ -> "generator";
      case Undefined _ -> "undefined";
      case Namespace _ -> "namespace";
      case Function _ -> "function";
      default -> isNone(value) ? "None" : "loop";
    };
  }

  /** What it looks like in the output. */
  static String text(Object value, Budget budget) {
    return switch (value) {
      case String s -> s;
      case Undefined u -> {
        if (!u.silent()) {
          throw u.problem();
        }
        yield "";
      }
      default -> {
        StringBuilder out = new StringBuilder();
        repr(value, out, budget);
        yield budget.text(out.toString());
      }
    };
  }

  private static void repr(Object value, StringBuilder out, Budget budget) {
    budget.enter();
    budget.step();
    switch (value) {
      case Boolean b -> out.append(b ? "True" : "False");
      case Long n -> out.append(n);
      case Double d -> out.append(decimal(d));
      case String s -> quoted(s, out, budget);
      case List<?> l -> items(l, "[", "]", out, budget);
      case Tuple t -> items(t.items(), "(", t.items().size() == 1 ? ",)" : ")", out, budget);
      case Map<?, ?> m -> {
        String between = "{";
        for (Map.Entry<?, ?> entry : m.entrySet()) {
          out.append(between);
          repr(entry.getKey(), out, budget);
          out.append(": ");
          repr(entry.getValue(), out, budget);
          between = ", ";
        }
        out.append(m.isEmpty() ? "{}" : "}");
      }
      default -> {
        if (!isNone(value)) {
          throw new JinjaException("a value of type " + type(value) + " cannot be printed");
        }
        out.append("None");
      }
    }
    budget.leave();
  }

  private static void items(
      List<?> items, String start, String end, StringBuilder out, Budget budget) {
    String between = start;
    for (Object item : items) {
      out.append(between);
      repr(item, out, budget);
      between = ", ";
    }
    out.append(items.isEmpty() ? start : "").append(end);
  }

  /** The shortest decimals, as Python writes them where it uses no exponent. */
  static String decimal(double value) {
    double size = Math.abs(value);
    if (value == 0 || (size >= 1e-4 && size < 1e16)) {
      String plain = new BigDecimal(Double.toString(value)).toPlainString();
      String signed = (value == 0 && 1 / value < 0) ? "-0.0" : plain;
      return signed.contains(".") ? signed : signed + ".0";
    }
    throw new JinjaException("the number " + value + " cannot be printed as Python does");
  }

  private static void quoted(String text, StringBuilder out, Budget budget) {
    budget.characters(text.length());
    char quote = text.contains("'") && !text.contains("\"") ? '"' : '\'';
    out.append(quote);
    text.codePoints().forEach(c -> escaped(c, quote, out));
    out.append(quote);
  }

  private static void escaped(int c, char quote, StringBuilder out) {
    switch (c) {
      case '\n' -> out.append("\\n");
      case '\r' -> out.append("\\r");
      case '\t' -> out.append("\\t");
      case '\\' -> out.append("\\\\");
      default -> {
        if (c == quote) {
          out.append('\\').append(quote);
        } else if (printable(c)) {
          out.appendCodePoint(c);
        } else {
          String form = c < 0x100 ? "\\x%02x" : c < 0x10000 ? "\\u%04x" : "\\U%08x";
          out.append(String.format(form, c));
        }
      }
    }
  }

  private static boolean printable(int c) {
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR ->
          false;
      case Character.SPACE_SEPARATOR -> c == ' ';
      default -> true;
    };
  }

  /** {@code ==}. */
  static boolean equal(Object a, Object b, Budget budget) {
    budget.step();
    if (isNumber(a) && isNumber(b)) {
      boolean fractions = a instanceof Double || b instanceof Double;
      return fractions ? number(a) == number(b) : integer(a) == integer(b);
    }
    return switch (a) {
      case String s -> {
        budget.read(s);
        yield s.equals(b);
      }
      case List<?> l -> b instanceof List<?> other && equalItems(l, other, budget);
      case Tuple t -> b instanceof Tuple other && equalItems(t.items(), other.items(), budget);
      case Range r -> b instanceof Range other && r.items().equals(other.items());
      case Map<?, ?> m -> b instanceof Map<?, ?> other && equalMaps(m, other, budget);
      case Undefined _ -> b instanceof Undefined;
      default -> a.equals(b);
    };
  }

  private static boolean equalItems(List<?> a, List<?> b, Budget budget) {
    if (a.size() != b.size()) {
      return false;
    }
    budget.enter();
    for (int i = 0; i < a.size(); i++) {
      if (!equal(a.get(i), b.get(i), budget)) {
        budget.leave();
        return false;
      }
    }
    budget.leave();
    return true;
  }

  private static boolean equalMaps(Map<?, ?> a, Map<?, ?> b, Budget budget) {
    return a.keySet().equals(b.keySet())
        && equalItems(
            new ArrayList<>(a.values()), a.keySet().stream().<Object>map(b::get).toList(), budget);
  }

  /**
   * What a dict holds under a key; null if there is nothing. Only texts and integers are keys: the
   * hash of a nested list could take for ever.
   */
  static Object lookUp(Map<?, ?> map, Object key) {
    return switch (key) {
      case String s -> map.get(s);
      case Long n -> map.get(n);
      case Undefined _ -> null;
      default -> {
        if (isNone(key)) {
          yield null;
        }
        throw new JinjaException("a key of type " + type(key) + " is not supported");
      }
    };
  }

  static boolean isNumber(Object value) {
    return value instanceof Long || value instanceof Double || value instanceof Boolean;
  }

  static double number(Object value) {
    return switch (value) {
      case Long n -> n;
      case Double d -> d;
      case Boolean b -> b ? 1 : 0;
      default -> throw new JinjaException("a value of type " + type(value) + " is no number");
    };
  }

  static long integer(Object value) {
    return switch (value) {
      case Long n -> n;
      case Boolean b -> b ? 1 : 0;
      default -> throw new JinjaException("a value of type " + type(value) + " is no integer");
    };
  }

  /** What a loop over it goes through. */
  @SuppressWarnings("unchecked")
  static List<Object> items(Object value, Budget budget) {
    List<Object> items =
        switch (value) {
          case List<?> l -> (List<Object>) l;
          case Tuple t -> t.items();
          case Range r -> r.items();
          case Generator g -> g.take();
          case Map<?, ?> m -> new ArrayList<>(m.keySet());
          case String s -> {
            budget.steps(s.length());
            yield PyString.characters(s);
          }
          case Undefined _ -> List.of();
          default ->
              throw new JinjaException("a value of type " + type(value) + " cannot be iterated");
        };
    budget.steps(items.size());
    return items;
  }

  static long length(Object value) {
    return switch (value) {
      case String s -> PyString.length(s);
      case List<?> l -> l.size();
      case Tuple t -> t.items().size();
      case Range r -> r.items().size();
      case Map<?, ?> m -> m.size();
      case Undefined _ -> 0;
      default -> throw new JinjaException("a value of type " + type(value) + " has no length");
    };
  }
}
