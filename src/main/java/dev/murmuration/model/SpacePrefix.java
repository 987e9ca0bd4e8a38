package dev.murmuration.model;

import java.util.Arrays;
import java.util.Optional;

/**
 * Where a blank is put into a text that SentencePiece tokenizes, so that its first word looks like
 * one in the middle of a sentence. A piece is what lies between two special tokens.
 */
public enum SpacePrefix {
  /** Nowhere. */
  NONE("", "none before a text"),

  /**
   * Before every piece, also before one that begins with a blank, and also behind a token that the
   * user defined. It is what llama.cpp does, and what transformers 4 reads as legacy.
   */
  EVERY_PIECE("", "one before a text and behind every special token"),

  /** Before every piece, but a token that the user defined ends none: SentencePiece's own way. */
  SENTENCEPIECE("sentencepiece", "one before a text and behind every control token"),

  /** Before every piece that does not begin with a blank: Metaspace {@code always}. */
  ALWAYS("always", "one before a text and behind every special token, unless there is one"),

  /** Before a text that begins with no special token and no blank: Metaspace {@code first}. */
  FIRST("first", "one before a text, unless it begins with a blank or a special token");

  private final String label;
  private final String description;

  SpacePrefix(String label, String description) {
    this.label = label;
    this.description = description;
  }

  /** Where blanks are put, in a few words. */
  public String description() {
    return description;
  }

  /**
   * Its value under {@link RewardMetadata#SPACE_PREFIX}; empty for what llama.cpp's own {@code
   * add_space_prefix} says.
   */
  public String label() {
    return label;
  }

  /** Whether llama.cpp cannot do it, so that the blanks have to be in the text that it gets. */
  public boolean ours() {
    return !label.isEmpty();
  }

  static Optional<SpacePrefix> ofLabel(String label) {
    return Arrays.stream(values())
        .filter(value -> value.ours() && value.label.equals(label))
        .findFirst();
  }
}
