package dev.murmuration.jinja;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The arguments of a filter or a function, taken one by one, by place or by name. */
final class Given {
  private final String function;
  private final List<Object> positional;
  private final Map<String, Object> named;

  Given(String function, List<Object> positional, Map<String, Object> named) {
    this.function = function;
    this.positional = new ArrayList<>(positional);
    this.named = new HashMap<>(named);
  }

  boolean isEmpty() {
    return positional.isEmpty() && named.isEmpty();
  }

  /** The next one; null if it is not given. */
  Object optional(String name) {
    return positional.isEmpty() ? named.remove(name) : positional.removeFirst();
  }

  Object required(String name) {
    Object value = optional(name);
    if (value == null) {
      throw new JinjaException("'" + function + "' lacks its argument '" + name + "'");
    }
    return value;
  }

  /** One that is given by name only; null if it is not. */
  Object named(String name) {
    return named.remove(name);
  }

  /** All that are left without a name. */
  List<Object> rest() {
    List<Object> rest = List.copyOf(positional);
    positional.clear();
    return rest;
  }

  void requireAllUsed() {
    if (!isEmpty()) {
      throw new JinjaException(
          "'"
              + function
              + "' has an argument that is not supported"
              + (named.isEmpty() ? "" : ": " + named.keySet().iterator().next()));
    }
  }
}
