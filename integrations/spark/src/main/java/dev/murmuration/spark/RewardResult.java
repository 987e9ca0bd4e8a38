package dev.murmuration.spark;

import dev.murmuration.reward.Reward;
import java.io.Serializable;
import java.util.Objects;

/**
 * What has become of a row: a reward, or why there is none.
 *
 * @param reward unbounded, higher is better; null if there is an error
 * @param error why there is no reward; null if there is one
 * @param tokens tokens of the text, as far as they were not cut off; 0 if there is an error
 * @param truncatedTokens tokens that were cut off because the text was too long
 */
public record RewardResult(Double reward, String error, int tokens, int truncatedTokens)
    implements Serializable {
  private static final long serialVersionUID = 1L;

  static RewardResult of(Reward reward) {
    return new RewardResult(reward.reward(), null, reward.tokens(), reward.truncatedTokens());
  }

  static RewardResult failed(Throwable failure) {
    return new RewardResult(
        null, Objects.requireNonNullElseGet(failure.getMessage(), failure::toString), 0, 0);
  }
}
