package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Tuple;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * {@code tojson} as transformers defines it: Python's {@code json.dumps} without its HTML escapes.
 */
final class Json {
  private final StringBuilder out = new StringBuilder();
  private final Budget budget;
  private final String indent;
  private final String comma;
  private final String colon;
  private final boolean sorted;
  private final boolean ascii;

  Json(Budget budget, String indent, String comma, String colon, boolean sorted, boolean ascii) {
    this.budget = budget;
    this.indent = indent;
    this.comma = comma;
    this.colon = colon;
    this.sorted = sorted;
    this.ascii = ascii;
  }

  String write(Object value) {
    write(value, 1);
    return budget.text(out.toString());
  }

  private void write(Object value, int level) {
    budget.enter();
    budget.step();
    switch (value) {
      case String s -> string(s);
      case Boolean b -> out.append(b);
      case Long n -> out.append(n);
      case Double d -> out.append(Values.decimal(d));
      case List<?> l -> list(l, level);
      case Tuple t -> list(t.items(), level);
      case Map<?, ?> m -> map(m, level);
      default -> {
        if (!Values.isNone(value)) {
          throw new JinjaException("'tojson' is not for values of type " + Values.type(value));
        }
        out.append("null");
      }
    }
    budget.leave();
  }

  private void list(List<?> items, int level) {
    out.append('[');
    for (int i = 0; i < items.size(); i++) {
      out.append(i > 0 ? comma : "");
      line(level);
      write(items.get(i), level + 1);
    }
    end(']', items.isEmpty(), level);
  }

  private void map(Map<?, ?> map, int level) {
    out.append('{');
    boolean first = true;
    for (Map.Entry<?, ?> entry : ordered(map).entrySet()) {
      if (!(entry.getKey() instanceof String key)) {
        throw new JinjaException("'tojson' is not for keys that are no strings");
      }
      out.append(first ? "" : comma);
      line(level);
      string(key);
      out.append(colon);
      write(entry.getValue(), level + 1);
      first = false;
    }
    end('}', map.isEmpty(), level);
  }

  private Map<?, ?> ordered(Map<?, ?> map) {
    if (!sorted) {
      return map;
    }
    Map<Object, Object> ordered =
        new TreeMap<>((a, b) -> PyString.compare(a.toString(), b.toString()));
    ordered.putAll(map);
    return ordered;
  }

  private void line(int level) {
    if (indent != null) {
      budget.characters((long) indent.length() * level);
      out.append('\n').repeat(indent, level);
    }
  }

  private void end(char bracket, boolean empty, int level) {
    if (!empty) {
      line(level - 1);
    }
    out.append(bracket);
  }

  private void string(String text) {
    budget.characters(text.length());
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      int escape = "\"\\\n\r\t\b\f".indexOf(c);
      if (escape >= 0) {
        out.append('\\').append("\"\\nrtbf".charAt(escape));
      } else if (c < 0x20 || (ascii && c > 0x7e)) {
        out.append(String.format("\\u%04x", (int) c));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
