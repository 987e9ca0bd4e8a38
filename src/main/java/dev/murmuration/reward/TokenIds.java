package dev.murmuration.reward;

import java.util.Arrays;

/**
 * Token ids that are scored as they are: for callers that tokenize themselves, such as trainers.
 * Immutable.
 */
public final class TokenIds implements Input {
  private final int[] ids;

  /**
   * Takes a copy of the ids, at least one. Whether the vocabulary has them is checked when they are
   * scored.
   *
   * @param ids ids of the vocabulary
   * @throws IllegalArgumentException if there are none
   */
  public TokenIds(int... ids) {
    if (ids.length == 0) {
      throw new IllegalArgumentException("there are no token ids to score; give one or more");
    }
    this.ids = ids.clone();
  }

  /** {@return a copy of the ids} */
  public int[] ids() {
    return ids.clone();
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof TokenIds tokens && Arrays.equals(ids, tokens.ids);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ids);
  }

  @Override
  public String toString() {
    return "TokenIds" + Arrays.toString(ids);
  }
}
