package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Generator;
import dev.murmuration.jinja.Values.Tuple;
import dev.murmuration.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** Jinja2's filters: what stands behind a bar. */
final class Filters {
  static final Set<String> NAMES =
      Set.of(
          "trim",
          "length",
          "count",
          "tojson",
          "upper",
          "lower",
          "capitalize",
          "first",
          "last",
          "join",
          "list",
          "map",
          "select",
          "reject",
          "selectattr",
          "rejectattr",
          "default",
          "d",
          "replace",
          "int",
          "string",
          "items",
          "dictsort",
          "sort",
          "reverse",
          "unique",
          "indent",
          "safe",
          "abs",
          "min",
          "max");

  private final Budget budget;
  private final Operators operators;
  private final Tests tests;
  private final Methods methods;

  Filters(Budget budget, Operators operators, Tests tests, Methods methods) {
    this.budget = budget;
    this.operators = operators;
    this.tests = tests;
    this.methods = methods;
  }

  Object apply(String name, Object value, Given given) {
    if (!NAMES.contains(name)) {
      throw new JinjaException("the filter '" + name + "' is not supported");
    }
    budget.read(value);
    Object result = value instanceof Undefined && given.isEmpty() ? onUndefined(name, value) : null;
    if (result == null) {
      result = one(name, value, given);
    }
    given.requireAllUsed();
    return result;
  }

  private static Object onUndefined(String name, Object value) {
    return switch (name) {
      case "abs", "int" -> throw ((Undefined) value).problem();
      default -> null;
    };
  }

  private Object one(String name, Object value, Given given) {
    return switch (name) {
      case "trim" -> trim(text(value), given.optional("chars"));
      case "length", "count" -> Values.length(value);
      case "tojson" -> json(value, given);
      case "upper" -> budget.text(text(value).toUpperCase(Locale.ROOT));
      case "lower" -> budget.text(text(value).toLowerCase(Locale.ROOT));
      case "capitalize" -> budget.text(PyString.capitalize(text(value)));
      case "first" -> first(value);
      case "last" -> last(value);
      case "join" -> join(value, given);
      case "list" -> new ArrayList<>(Values.items(value, budget));
      case "map" -> map(value, given);
      case "select", "reject" -> select(value, given, name.equals("select"), null);
      case "selectattr", "rejectattr" ->
          select(value, given, name.equals("selectattr"), given.required("attribute"));
      case "default", "d" -> byDefault(value, given);
      case "replace" ->
          Methods.replace(
              text(value), text(given.required("old")), text(given.required("new")), budget);
      case "int" -> integer(value, given);
      case "string" -> text(value);
      case "items" -> items(value);
      case "dictsort" -> sortedPairs(value);
      case "sort" -> sorted(value, given);
      case "reverse" -> reversed(value);
      case "unique" -> unique(value);
      case "indent" -> indented(text(value), given);
      case "safe" -> value;
      case "min" -> extreme(value, -1);
      case "max" -> extreme(value, 1);
      default -> value instanceof Double d ? Math.abs(d) : (Object) Math.abs(Values.integer(value));
    };
  }

  private String text(Object value) {
    return Values.text(value, budget);
  }

  private String trim(String text, Object characters) {
    budget.steps(text.length() / 64);
    if (characters == null || Values.isNone(characters)) {
      return PyString.strip(text);
    }
    String taken = text(characters);
    budget.steps((long) text.length() * taken.length() / 32);
    return PyString.strip(text, c -> taken.indexOf(c) >= 0, true, true);
  }

  private String json(Object value, Given given) {
    Object indent = given.named("indent");
    Object separators = given.named("separators");
    Object sorted = given.named("sort_keys");
    Object ascii = given.named("ensure_ascii");
    boolean lines = indent != null && !Values.isNone(indent);
    String comma = lines ? "," : ", ";
    String colon = ": ";
    if (separators instanceof Tuple pair && pair.items().size() == 2) {
      comma = text(pair.items().get(0));
      colon = text(pair.items().get(1));
    } else if (separators != null && !Values.isNone(separators)) {
      throw new JinjaException("the separators of 'tojson' are no pair");
    }
    String blanks = lines ? blanks(indent) : null;
    return new Json(
            budget,
            blanks,
            comma,
            colon,
            sorted != null && Values.truth(sorted),
            ascii != null && Values.truth(ascii))
        .write(value);
  }

  private static String blanks(Object indent) {
    if (indent instanceof String s) {
      return s;
    }
    return " ".repeat(Math.clamp(Values.integer(indent), 0, 100));
  }

  private Object first(Object value) {
    Undefined none = new Undefined("there is no first element", true);
    if (value instanceof Generator g) {
      return g.takeFirst(none);
    }
    List<Object> items = Values.items(value, budget);
    return items.isEmpty() ? none : items.getFirst();
  }

  private Object last(Object value) {
    if (value instanceof Generator) {
      throw new JinjaException("'last' is not for values of type generator");
    }
    List<Object> items = Values.items(value, budget);
    return items.isEmpty() ? new Undefined("there is no last element", true) : items.getLast();
  }

  private String join(Object value, Given given) {
    Object separator = given.optional("d");
    Object attribute = given.optional("attribute");
    List<Object> texts = new ArrayList<>();
    for (Object item : Values.items(value, budget)) {
      texts.add(text(attribute == null ? item : attribute(item, attribute)));
    }
    return Methods.join(separator == null ? "" : text(separator), texts, budget);
  }

  /** An attribute of several parts is looked up one by one, as Jinja2 does. */
  private Object attribute(Object item, Object path) {
    Object value = item;
    if (!(path instanceof String name)) {
      return operators.item(value, path);
    }
    for (Object part : PyString.split(name, ".", -1)) {
      String key = (String) part;
      boolean number = !key.isEmpty() && key.chars().allMatch(c -> c >= '0' && c <= '9');
      value = operators.item(value, number && key.length() < 10 ? Long.valueOf(key) : part);
    }
    return value;
  }

  private Generator map(Object value, Given given) {
    Object attribute = given.named("attribute");
    Object missing = given.named("default");
    String filter = attribute == null ? text(given.required("filter")) : null;
    if ("map".equals(filter)) {
      throw new JinjaException("the filter 'map' is not supported by 'map'");
    }
    List<Object> rest = given.rest();
    List<Object> out = new ArrayList<>();
    for (Object item : itemsIfAny(value)) {
      if (filter != null) {
        out.add(apply(filter, item, new Given(filter, rest, Map.of())));
      } else {
        Object found = attribute(item, attribute);
        out.add(found instanceof Undefined && missing != null ? missing : found);
      }
    }
    return new Generator(out);
  }

  /** None has no items here, as in Jinja2's own {@code select_or_reject}. */
  private List<Object> itemsIfAny(Object value) {
    return Values.truth(value) ? Values.items(value, budget) : List.of();
  }

  private Generator select(Object value, Given given, boolean wanted, Object attribute) {
    Object test = given.optional("test");
    List<Object> rest = given.rest();
    List<Object> out = new ArrayList<>();
    for (Object item : itemsIfAny(value)) {
      Object tested = attribute == null ? item : attribute(item, attribute);
      budget.read(tested);
      boolean holds = test == null ? Values.truth(tested) : tests.test(text(test), tested, rest);
      if (holds == wanted) {
        out.add(item);
      }
    }
    return new Generator(out);
  }

  private static Object byDefault(Object value, Given given) {
    Object other = given.optional("default_value");
    Object falsy = given.optional("boolean");
    boolean replaced =
        value instanceof Undefined
            || (falsy != null && Values.truth(falsy) && !Values.truth(value));
    return replaced ? (other == null ? "" : other) : value;
  }

  private static Object integer(Object value, Given given) {
    Object other = given.optional("default");
    if (value instanceof Double d) {
      return (long) (double) d;
    }
    if (Values.isNumber(value)) {
      return Values.integer(value);
    }
    if (value instanceof String s && PyString.strip(s).matches("[+-]?[0-9]{1,18}")) {
      return Long.valueOf(PyString.strip(s));
    }
    if (value instanceof String s && s.chars().noneMatch(c -> (c >= '0' && c <= '9') || c > 127)) {
      return other == null ? 0L : other;
    }
    throw new JinjaException("'int' is not supported for this value of type " + Values.type(value));
  }

  private Object items(Object value) {
    if (value instanceof Undefined) {
      return new Generator(List.of());
    }
    if (value instanceof Map<?, ?> m) {
      return new Generator(methods.pairs(m));
    }
    throw new JinjaException("'items' is not for values of type " + Values.type(value));
  }

  private Object extreme(Object value, int sign) {
    Object best = null;
    for (Object item : Values.items(value, budget)) {
      best = best == null || sign * inOrder(item, best) > 0 ? item : best;
    }
    return best == null ? new Undefined("there is no item", true) : best;
  }

  private Object sortedPairs(Object value) {
    if (!(value instanceof Map<?, ?> m)) {
      throw new JinjaException("'dictsort' is not for values of type " + Values.type(value));
    }
    List<Object> pairs = methods.pairs(m);
    pairs.sort(Comparator.comparing(pair -> ((Tuple) pair).items().getFirst(), this::inOrder));
    return pairs;
  }

  private Object sorted(Object value, Given given) {
    Object reverse = given.optional("reverse");
    Object cased = given.optional("case_sensitive");
    Object attribute = given.optional("attribute");
    Comparator<Object> order =
        cased != null && Values.truth(cased) ? (a, b) -> operators.order("<", a, b) : this::inOrder;
    List<Object> items = new ArrayList<>(Values.items(value, budget));
    Comparator<Object> by =
        attribute == null ? order : Comparator.comparing(i -> attribute(i, attribute), order);
    items.sort(reverse != null && Values.truth(reverse) ? by.reversed() : by);
    return items;
  }

  /** Without regard to case. */
  private int inOrder(Object a, Object b) {
    budget.steps(4);
    return operators.order("<", folded(a), folded(b));
  }

  private Object folded(Object value) {
    return value instanceof String s ? budget.text(s.toLowerCase(Locale.ROOT)) : value;
  }

  private Object reversed(Object value) {
    if (value instanceof String s) {
      return new StringBuilder(budget.text(s)).reverse().toString();
    }
    List<Object> items = new ArrayList<>(Values.items(value, budget));
    Collections.reverse(items);
    return new Generator(items);
  }

  private Object unique(Object value) {
    List<Object> out = new ArrayList<>();
    for (Object item : Values.items(value, budget)) {
      Object key = folded(item);
      if (out.stream().noneMatch(each -> Values.equal(folded(each), key, budget))) {
        out.add(item);
      }
    }
    return new Generator(out);
  }

  private String indented(String text, Given given) {
    Object width = given.optional("width");
    Object first = given.optional("first");
    Object blank = given.optional("blank");
    String blanks = width == null ? "    " : blanks(width);
    StringBuilder out = new StringBuilder();
    boolean start = first != null && Values.truth(first);
    for (String line : text.split("\n", -1)) {
      boolean indented =
          start && (!line.isEmpty() || (blank != null && Values.truth(blank)) || out.isEmpty());
      budget.characters(line.length() + (long) blanks.length());
      out.append(indented ? blanks : "").append(line).append('\n');
      start = true;
    }
    return out.substring(0, out.length() - 1);
  }
}
