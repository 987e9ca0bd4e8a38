package dev.murmuration.cli.doctor;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * What a check found.
 *
 * @param check what was looked at, a word
 * @param text what was found and, unless all is well, what to do
 * @param facts the same for programs, by name: strings, numbers, truth values and lists of strings
 */
public record Finding(String check, State state, String text, Map<String, Object> facts) {
  /** Whether a model can score with what was found. */
  public enum State {
    /** All is well. */
    OK,
    /** Scoring works, but not as it could. */
    NOTE,
    /** Scoring does not work. */
    PROBLEM;

    /** The word that is printed. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  static Finding ok(String check, String text) {
    return new Finding(check, State.OK, text, Map.of());
  }

  static Finding note(String check, String text) {
    return new Finding(check, State.NOTE, text, Map.of());
  }

  static Finding problem(String check, String text) {
    return new Finding(check, State.PROBLEM, text, Map.of());
  }

  /** The same with a fact more; one that is not known is left out. */
  Finding with(String name, Object value) {
    if (value == null) {
      return this;
    }
    Map<String, Object> more = new LinkedHashMap<>(facts);
    more.put(name, value instanceof List<?> list ? List.copyOf(list) : value);
    return new Finding(check, state, text, more);
  }
}
