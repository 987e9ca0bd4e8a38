package dev.murmuration.jinja;

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

  /** Nested evaluations and calls of macros, far from what a thread's stack holds. */
  static final int DEPTH = 250;

  private final long mostCharacters;
  private long steps;
  private long characters;
  private int depth;

  Budget(long inputCharacters) {
    this.mostCharacters = CHARACTERS + COPIES * inputCharacters;
  }

  void step() {
    steps(1);
  }

  void steps(long count) {
    if (count > STEPS - steps) {
      throw new JinjaException(
          "takes more than " + STEPS + " steps; it may loop, and is refused as it is");
    }
    steps += count;
  }

  void characters(long count) {
    if (count > mostCharacters - characters) {
      throw new JinjaException(
          "makes more than " + mostCharacters + " characters of text; it is refused as it is");
    }
    characters += count;
    steps(count / 64);
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
