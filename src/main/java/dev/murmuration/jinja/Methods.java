package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Tuple;
import dev.murmuration.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.IntPredicate;

/** The methods of Python's strings, lists and dicts that templates call. */
final class Methods {
  /** A dict's attribute of this name is its method, not what the dict holds. */
  static final Set<String> DICT =
      Set.of(
          "clear",
          "copy",
          "fromkeys",
          "get",
          "items",
          "keys",
          "pop",
          "popitem",
          "setdefault",
          "update",
          "values");

  private final Budget budget;

  Methods(Budget budget) {
    this.budget = budget;
  }

  Object call(Object object, String name, List<Object> arguments) {
    budget.read(object, arguments);
    try {
      Object result =
          switch (object) {
            case String s -> string(s, name, arguments);
            case Map<?, ?> m -> dict(m, name, arguments);
            case List<?> l -> list(l, name, arguments);
            case Tuple t -> list(t.items(), name, arguments);
            case Undefined u -> throw u.problem();
            default -> null;
          };
      if (result != null) {
        return result;
      }
    } catch (IndexOutOfBoundsException | ClassCastException e) {
      throw new JinjaException("wrong arguments of " + Values.type(object) + "." + name);
    }
    throw new JinjaException(
        "the method '"
            + name
            + "' of a value of type "
            + Values.type(object)
            + " is not supported");
  }

  private static void atMost(int count, List<Object> arguments) {
    if (arguments.size() > count) {
      throw new IndexOutOfBoundsException();
    }
  }

  private Object string(String s, String name, List<Object> a) {
    budget.characters(s.length() / 4);
    if (!Set.of("replace", "join", "startswith", "endswith", "split", "rsplit", "format")
        .contains(name)) {
      atMost(1, a);
    }
    return switch (name) {
      case "strip" -> PyString.strip(s, taken(s, a), true, true);
      case "lstrip" -> PyString.strip(s, taken(s, a), true, false);
      case "rstrip" -> PyString.strip(s, taken(s, a), false, true);
      case "startswith" -> affix(s, a, true);
      case "endswith" -> affix(s, a, false);
      case "split" -> split(s, a, false);
      case "rsplit" -> split(s, a, true);
      case "splitlines" -> {
        atMost(0, a);
        yield counted(PyString.lines(s));
      }
      case "upper" -> budget.text(s.toUpperCase(Locale.ROOT));
      case "lower" -> budget.text(s.toLowerCase(Locale.ROOT));
      case "title" -> budget.text(PyString.title(s));
      case "capitalize" -> budget.text(PyString.capitalize(s));
      case "replace" -> replace(s, a);
      case "format" -> formatted(s, a);
      case "join" -> join(s, Values.items(a.get(0), budget), budget);
      case "find" -> (long) place(s, s.indexOf((String) a.get(0)));
      case "rfind" -> (long) place(s, s.lastIndexOf((String) a.get(0)));
      case "count" -> count(s, (String) a.get(0));
      case "removeprefix" ->
          s.startsWith((String) a.get(0)) ? s.substring(((String) a.get(0)).length()) : s;
      case "removesuffix" ->
          s.endsWith((String) a.get(0))
              ? s.substring(0, s.length() - ((String) a.get(0)).length())
              : s;
      case "isspace" -> !s.isEmpty() && s.chars().allMatch(PyString::isSpace);
      case "isdigit" -> asciiOnly(s, name) && s.chars().allMatch(c -> c >= '0' && c <= '9');
      default -> null;
    };
  }

  private static boolean asciiOnly(String s, String name) {
    if (s.chars().anyMatch(c -> c > 127)) {
      throw new JinjaException("'" + name + "' is not supported for other characters than ASCII");
    }
    return !s.isEmpty();
  }

  private IntPredicate taken(String s, List<Object> arguments) {
    if (arguments.isEmpty() || Values.isNone(arguments.get(0))) {
      return PyString::isSpace;
    }
    String taken = (String) arguments.get(0);
    budget.steps((long) s.length() * taken.length() / 32);
    return c -> taken.indexOf(c) >= 0;
  }

  private static boolean affix(String s, List<Object> arguments, boolean start) {
    atMost(1, arguments);
    Object affix = arguments.get(0);
    List<Object> affixes = affix instanceof Tuple t ? t.items() : List.of(affix);
    return affixes.stream()
        .anyMatch(each -> start ? s.startsWith((String) each) : s.endsWith((String) each));
  }

  private List<Object> counted(List<Object> items) {
    budget.steps(items.size());
    return items;
  }

  private Object split(String s, List<Object> a, boolean fromEnd) {
    atMost(2, a);
    long most = a.size() > 1 ? Values.integer(a.get(1)) : -1;
    if (a.isEmpty() || Values.isNone(a.get(0))) {
      if (most >= 0) {
        throw new JinjaException("'split' at blanks with a limit is not supported");
      }
      return counted(PyString.words(s));
    }
    String separator = (String) a.get(0);
    if (separator.isEmpty()) {
      throw new JinjaException("'split' has an empty separator");
    }
    return counted(
        fromEnd ? PyString.splitFromEnd(s, separator, most) : PyString.split(s, separator, most));
  }

  private String replace(String s, List<Object> a) {
    atMost(2, a);
    return replace(s, (String) a.get(0), (String) a.get(1), budget);
  }

  static String replace(String s, String from, String to, Budget budget) {
    long found = from.isEmpty() ? s.length() + 1L : count(s, from);
    budget.characters(s.length() + found * to.length());
    return s.replace(from, to);
  }

  static String join(String separator, List<Object> items, Budget budget) {
    StringBuilder out = new StringBuilder();
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        budget.characters(separator.length());
        out.append(separator);
      }
      if (!(items.get(i) instanceof String text)) {
        throw new JinjaException("'join' is not for values of type " + Values.type(items.get(i)));
      }
      budget.characters(text.length());
      out.append(text);
    }
    return out.toString();
  }

  /** With {@code {}} only. */
  private String formatted(String s, List<Object> a) {
    List<Object> parts = PyString.split(s, "{}", -1);
    if (parts.size() != a.size() + 1
        || parts.stream().anyMatch(p -> ((String) p).matches("(?s).*[{}].*"))) {
      throw new JinjaException("'format' is supported with '{}' for each argument only");
    }
    StringBuilder out = new StringBuilder((String) parts.get(0));
    for (int i = 0; i < a.size(); i++) {
      out.append(Values.text(a.get(i), budget)).append(parts.get(i + 1));
    }
    return budget.text(out.toString());
  }

  private static int place(String s, int index) {
    return index < 0 ? -1 : s.codePointCount(0, index);
  }

  static long count(String s, String part) {
    if (part.isEmpty()) {
      return PyString.length(s) + 1L;
    }
    long count = 0;
    for (int at = s.indexOf(part); at >= 0; at = s.indexOf(part, at + part.length())) {
      count++;
    }
    return count;
  }

  private Object dict(Map<?, ?> map, String name, List<Object> a) {
    return switch (name) {
      case "get" -> {
        atMost(2, a);
        Object value = Values.lookUp(map, a.get(0));
        yield value != null ? value : a.size() > 1 ? a.get(1) : Values.NONE;
      }
      case "keys" -> counted(new ArrayList<>(map.keySet()));
      case "values" -> counted(new ArrayList<>(map.values()));
      case "items" -> pairs(map);
      default -> null;
    };
  }

  List<Object> pairs(Map<?, ?> map) {
    List<Object> pairs = new ArrayList<>();
    map.forEach((key, value) -> pairs.add(new Tuple(List.of(key, value))));
    return counted(pairs);
  }

  private Object list(List<?> list, String name, List<Object> a) {
    atMost(1, a);
    return switch (name) {
      case "count" -> list.stream().filter(item -> Values.equal(item, a.get(0), budget)).count();
      case "index" -> {
        for (int i = 0; i < list.size(); i++) {
          if (Values.equal(list.get(i), a.get(0), budget)) {
            yield (long) i;
          }
        }
        throw new JinjaException("'index' finds nothing");
      }
      case "append", "extend", "insert", "pop", "remove", "clear", "sort", "reverse" ->
          throw new JinjaException("a template may not change a list ('" + name + "')");
      default -> null;
    };
  }
}
