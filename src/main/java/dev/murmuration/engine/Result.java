package dev.murmuration.engine;

import java.util.Arrays;

/** What became of a text. */
sealed interface Result {
  Text text();

  /**
   * Its rewards, NaN and infinities included, as the model computed them.
   *
   * @param values one, or one a token
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Rewards(Text text, double[] values) implements Result {
    boolean areFinite() {
      return Arrays.stream(values).allMatch(Double::isFinite);
    }
  }

  /** Why it has none. */
  record Failure(Text text, RuntimeException cause) implements Result {}
}
