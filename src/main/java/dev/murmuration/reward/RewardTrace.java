package dev.murmuration.reward;

import java.util.List;

/**
 * The reward after every token of a text, as if the text had ended there.
 *
 * @param reward the reward of the whole text, which is that of the last step
 * @param responseStart index in {@code steps} of the first token of the response; 0 for raw text
 * @param steps one for each scored token, BOS included
 */
public record RewardTrace(Reward reward, int responseStart, List<Step> steps) {
  /**
   * One token.
   *
   * @param text what the token adds to the text. A character whose bytes are spread over several
   *     tokens stands at the last of them.
   */
  public record Step(int index, int tokenId, String text, double reward) {}

  public RewardTrace {
    steps = List.copyOf(steps);
  }

  /** The steps of the response alone. */
  public List<Step> responseSteps() {
    return steps.subList(responseStart, steps.size());
  }
}
