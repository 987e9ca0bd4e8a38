package dev.murmuration.jinja;

import java.util.Collection;

/**
 * What one rendering may use. It is counted, not timed: the same template and conversation pass or
 * fail on every machine, however busy it is.
 */
final class Budget {
  /** Evaluated nodes and list elements; about half a second's. */
  static final long STEPS = 5_000_000;

  /** Characters of all strings that are made, intermediate ones included. */
  static final long CHARACTERS = 32_000_000;

  /** How often each character that was given may be copied on top of that. */
  static final long COPIES = 64;

  /** Characters that are looked at in the time of one step. */
  private static final int PER_STEP = 32;

  /** Nested evaluations and calls of macros, far from what a thread's stack holds. */
  static final int DEPTH = 250;

  private final long mostCharacters;
  private final long mostSteps;
  private long steps;
  private long characters;
  private int depth;

  Budget(long inputCharacters) {
    this.mostCharacters = CHARACTERS + COPIES * inputCharacters;
    this.mostSteps = STEPS + COPIES * inputCharacters / PER_STEP;
  }

  void step() {
    steps(1);
  }

  void steps(long count) {
    if (count > mostSteps - steps) {
      throw new JinjaException(
          "takes more than " + mostSteps + " steps; it may loop, and is refused as it is");
    }
    steps += count;
  }

  void characters(long count) {
    if (count > mostCharacters - characters) {
      throw new JinjaException(
          "makes more than " + mostCharacters + " characters of text; it is refused as it is");
    }
    characters += count;
    steps(count / PER_STEP);
  }

  /** For looking through a value that may be a text, and those that may be its arguments. */
  void read(Object value, Collection<?> arguments) {
    read(value);
    for (Object argument : arguments) {
      read(argument);
    }
  }

  void read(Object value) {
    if (value instanceof String text) {
      steps(text.length() / PER_STEP);
    }
  }

  String text(String made) {
    characters(made.length());
    return made;
  }

  void enter() {
    if (++depth > DEPTH) {
      throw new JinjaException(
          "nests more than " + DEPTH + " levels deep; a macro may call itself without an end");
    }
  }

  void leave() {
    depth--;
  }
}
