package dev.murmuration.reward;

import java.util.List;

/**
 * The reward at every token of a text, as if the text had ended there and its last token were read.
 *
 * @param reward the reward of the whole text, which is that of the step at its {@code readoutIndex}
 * @param responseStart index in {@code steps} of the first token of the response; 0 for raw text
 * @param steps one for each scored token, BOS included
 */
public record RewardTrace(Reward reward, int responseStart, List<Step> steps) {
  /**
   * One token.
   *
   * @param index its position in the text, from 0
   * @param tokenId its id in the vocabulary
   * @param reward its reward
   * @param text what the token adds to the text. A character whose bytes are spread over several
   *     tokens stands at the last of them.
   */
  public record Step(int index, int tokenId, String text, double reward) {}

  /** Takes a copy of the list. */
  public RewardTrace {
    steps = List.copyOf(steps);
  }

  /** {@return the steps of the response alone} */
  public List<Step> responseSteps() {
    return steps.subList(responseStart, steps.size());
  }
}
