package dev.murmuration.jinja;

import java.util.HashMap;
import java.util.Map;

/** Names and their values. What a loop or a macro sets is not seen outside. */
final class Scope {
  private final Scope outer;
  private final Map<String, Object> values = new HashMap<>();

  Scope(Scope outer) {
    this.outer = outer;
  }

  /** Null if there is no such name. */
  Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.outer) {
      Object value = scope.values.get(name);
      if (value != null) {
        return value;
      }
    }
    return null;
  }

  void set(String name, Object value) {
    values.put(name, value);
  }
}
