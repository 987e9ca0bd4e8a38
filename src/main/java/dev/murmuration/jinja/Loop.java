package dev.murmuration.jinja;

import dev.murmuration.jinja.Values.Undefined;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.function.Predicate;

/**
 * A loop under way, and its variable {@code loop}. A loop's filter is asked when its turn has come
 * and not earlier, because what the body sets may change its answer.
 */
final class Loop {
  private static final Object NOTHING = new Object();

  private Iterator<Object> rest;
  private Predicate<Object> filter;
  private Object previous = new Undefined("there is no previous item", true);
  private Object current = NOTHING;
  private Object next = NOTHING;
  private long index = -1;

  Loop(List<Object> items, Predicate<Object> filter) {
    this.rest = items.iterator();
    this.filter = filter;
  }

  /** Whether there was another item. */
  boolean advance() {
    Object item = NOTHING.equals(next) ? fetch() : next;
    next = NOTHING;
    if (NOTHING.equals(item)) {
      return false;
    }
    if (!NOTHING.equals(current)) {
      previous = current;
    }
    current = item;
    index++;
    return true;
  }

  Object current() {
    return current;
  }

  private Object fetch() {
    while (rest.hasNext()) {
      Object item = rest.next();
      if (filter.test(item)) {
        return item;
      }
    }
    return NOTHING;
  }

  private boolean last() {
    if (NOTHING.equals(next)) {
      next = fetch();
    }
    return NOTHING.equals(next);
  }

  private long length() {
    List<Object> remaining = new ArrayList<>();
    for (Object item = fetch(); !NOTHING.equals(item); item = fetch()) {
      remaining.add(item);
    }
    rest = remaining.iterator();
    filter = item -> true;
    return remaining.size() + index + 1 + (NOTHING.equals(next) ? 0 : 1);
  }

  Object attribute(String name) {
    return switch (name) {
      case "index" -> index + 1;
      case "index0" -> index;
      case "first" -> index == 0;
      case "last" -> last();
      case "length" -> length();
      case "revindex" -> length() - index;
      case "revindex0" -> length() - index - 1;
      case "previtem" -> previous;
      case "nextitem" -> last() ? new Undefined("there is no next item", true) : next;
      default -> throw new JinjaException("'loop." + name + "' is not supported");
    };
  }
}
