package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Range;
import dev.murmuration.jinja.Values.Tuple;
import dev.murmuration.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Python's operators. */
final class Operators {
  private final Budget budget;

  Operators(Budget budget) {
    this.budget = budget;
  }

  Object binary(String operator, Object a, Object b) {
    requireDefined(a);
    requireDefined(b);
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return arithmetic(operator, a, b);
    }
    if (operator.equals("+")) {
      switch (a) {
        case String s when b instanceof String t -> {
          budget.characters((long) s.length() + t.length());
          return s + t;
        }
        case List<?> l when b instanceof List<?> m -> {
          return joined(l, m);
        }
        case Tuple l when b instanceof Tuple m -> {
          return new Tuple(joined(l.items(), m.items()));
        }
        default -> {}
      }
    } else if (operator.equals("*") && (isInteger(a) || isInteger(b))) {
      return repeated(isInteger(a) ? b : a, Values.integer(isInteger(a) ? a : b));
    } else if (operator.equals("%") && a instanceof String) {
      throw new JinjaException("formatting with '%' is not supported");
    }
    throw mismatch(operator, a, b);
  }

  private static JinjaException mismatch(String operator, Object a, Object b) {
    return new JinjaException(
        "'"
            + operator
            + "' is not for values of type "
            + Values.type(a)
            + " and "
            + Values.type(b));
  }

  static void requireDefined(Object value) {
    if (value instanceof Undefined undefined) {
      throw undefined.problem();
    }
  }

  private static boolean isInteger(Object value) {
    return value instanceof Long || value instanceof Boolean;
  }

  private List<Object> joined(List<?> a, List<?> b) {
    budget.steps((long) a.size() + b.size());
    List<Object> all = new ArrayList<>(a);
    all.addAll(b);
    return all;
  }

  private Object repeated(Object value, long times) {
    int count = Math.clamp(times, 0, Integer.MAX_VALUE);
    return switch (value) {
      case String s -> {
        budget.characters((long) s.length() * count);
        yield s.repeat(count);
      }
      case List<?> l -> repeatedItems(l, count);
      case Tuple t -> new Tuple(repeatedItems(t.items(), count));
      default -> throw mismatch("*", value, times);
    };
  }

  private List<Object> repeatedItems(List<?> items, int count) {
    budget.steps((long) items.size() * count);
    List<Object> all = new ArrayList<>(items.size() * count);
    for (int i = 0; i < count && !items.isEmpty(); i++) {
      all.addAll(items);
    }
    return all;
  }

  private static Object arithmetic(String operator, Object a, Object b) {
    boolean fractions = a instanceof Double || b instanceof Double || operator.equals("/");
    if ("/%".contains(operator.substring(0, 1)) && Values.number(b) == 0) {
      throw new JinjaException("division by zero");
    }
    return fractions
        ? fractions(operator, Values.number(a), Values.number(b))
        : integers(operator, Values.integer(a), Values.integer(b));
  }

  private static Object integers(String operator, long a, long b) {
    try {
      return switch (operator) {
        case "+" -> Math.addExact(a, b);
        case "-" -> Math.subtractExact(a, b);
        case "*" -> Math.multiplyExact(a, b);
        case "//" -> Math.floorDivExact(a, b);
        case "%" -> Math.floorMod(a, b);
        default -> throw new JinjaException("there is no operator '" + operator + "'");
      };
    } catch (ArithmeticException e) {
      throw new JinjaException("a number is too large");
    }
  }

  private static Object fractions(String operator, double a, double b) {
    return switch (operator) {
      case "+" -> a + b;
      case "-" -> a - b;
      case "*" -> a * b;
      case "/" -> a / b;
      default -> throw new JinjaException("'" + operator + "' of fractions is not supported");
    };
  }

  static Object sign(boolean negative, Object value) {
    requireDefined(value);
    if (value instanceof Double d) {
      return negative ? -d : d;
    }
    long number = Values.integer(value);
    return negative ? -number : number;
  }

  boolean compare(String operator, Object a, Object b) {
    return switch (operator) {
      case "==" -> Values.equal(a, b, budget);
      case "!=" -> !Values.equal(a, b, budget);
      case "in" -> contains(b, a);
      case "not in" -> !contains(b, a);
      case "<" -> order(operator, a, b) < 0;
      case "<=" -> order(operator, a, b) <= 0;
      case ">" -> order(operator, a, b) > 0;
      default -> order(operator, a, b) >= 0;
    };
  }

  int order(String operator, Object a, Object b) {
    requireDefined(a);
    requireDefined(b);
    if (isInteger(a) && isInteger(b)) {
      return Long.compare(Values.integer(a), Values.integer(b));
    }
    if (Values.isNumber(a) && Values.isNumber(b)) {
      return Double.compare(Values.number(a), Values.number(b));
    }
    if (a instanceof String s && b instanceof String t) {
      budget.steps(Math.min(s.length(), t.length()) / 64);
      return PyString.compare(s, t);
    }
    throw mismatch(operator, a, b);
  }

  boolean contains(Object container, Object item) {
    if (container instanceof String s) {
      requireDefined(item);
      if (!(item instanceof String part)) {
        throw mismatch("in", item, container);
      }
      budget.steps(s.length() / 16);
      return s.contains(part);
    }
    if (container instanceof Map<?, ?> m) {
      return Values.lookUp(m, item) != null;
    }
    for (Object each : Values.items(container, budget)) {
      if (Values.equal(each, item, budget)) {
        return true;
      }
    }
    return false;
  }

  /** {@code object[key]}; what is not there is undefined. */
  Object item(Object object, Object key) {
    requireDefined(object);
    if (object instanceof Map<?, ?> m) {
      Object value = Values.lookUp(m, key);
      return value == null
          ? new Undefined("there is no key " + shown(key) + " in a dict", true)
          : value;
    }
    if (isInteger(key)) {
      long index = Values.integer(key);
      List<?> items =
          switch (object) {
            case List<?> l -> l;
            case Tuple t -> t.items();
            case Range r -> r.items();
            default -> null;
          };
      if (object instanceof String s) {
        budget.steps(s.length() / 16);
        return character(s, index);
      }
      if (items != null) {
        long at = index < 0 ? index + items.size() : index;
        return at >= 0 && at < items.size()
            ? items.get((int) at)
            : new Undefined("there is no element " + index, true);
      }
    }
    return new Undefined(
        "a value of type " + Values.type(object) + " has no element " + shown(key),
        Values.isNone(object));
  }

  static String shown(Object key) {
    return key instanceof String s
        ? "'" + (s.length() > 40 ? s.substring(0, 40) + "…" : s) + "'"
        : key instanceof Long n ? n.toString() : "of type " + Values.type(key);
  }

  private static Object character(String text, long index) {
    int length = PyString.length(text);
    long at = index < 0 ? index + length : index;
    if (at < 0 || at >= length) {
      return new Undefined("there is no character " + index, true);
    }
    return Character.toString(text.codePointAt(text.offsetByCodePoints(0, (int) at)));
  }

  /** {@code object[from:to:step]}; {@link Values#NONE} is a bound that is left out. */
  Object slice(Object object, Object from, Object to, Object step) {
    requireDefined(object);
    return switch (object) {
      case String s -> {
        StringBuilder out = new StringBuilder();
        budget.steps(s.length() / 8);
        for (Object c : sliced(PyString.characters(s), from, to, step)) {
          out.append(c);
        }
        yield budget.text(out.toString());
      }
      case List<?> l -> sliced(l, from, to, step);
      case Tuple t -> new Tuple(sliced(t.items(), from, to, step));
      case Range r -> sliced(r.items(), from, to, step);
      default ->
          throw new JinjaException("a value of type " + Values.type(object) + " has no slices");
    };
  }

  private List<Object> sliced(List<?> items, Object from, Object to, Object by) {
    long step = Values.isNone(by) ? 1 : Values.integer(by);
    if (step == 0) {
      throw new JinjaException("the step of a slice is 0");
    }
    int size = items.size();
    long low = step < 0 ? -1 : 0;
    long high = step < 0 ? size - 1L : size;
    long start = bound(from, step < 0 ? high : low, low, high, size);
    long end = bound(to, step < 0 ? low : high, low, high, size);
    List<Object> out = new ArrayList<>();
    for (long i = start; step > 0 ? i < end : i > end; i += step) {
      out.add(items.get((int) i));
      if (Math.abs(step) > size) {
        break;
      }
    }
    budget.steps(out.size());
    return out;
  }

  private static long bound(Object given, long missing, long low, long high, int size) {
    if (Values.isNone(given)) {
      return missing;
    }
    long index = Values.integer(given);
    return Math.clamp(index < 0 ? Math.max(index, -(long) size - 1) + size : index, low, high);
  }
}
