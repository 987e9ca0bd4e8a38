package dev.murmuration.reward;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/**
 * A model computed NaN or an infinity for a text. {@link #rewards} has the rewards of the other
 * texts of the call.
 */
public final class NonFiniteRewardException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  /** The indices of the texts. */
  private final int[] indices;

  private final transient List<Reward> rewards;

  NonFiniteRewardException(int tokens, boolean exact) {
    super(
        "the model computes no finite number for this text of "
            + tokens
            + " tokens; "
            + (exact ? "" : "its keys or values may overflow float16 (try precision(EXACT)), or ")
            + (exact ? "its" : "the")
            + " weights are damaged");
    this.indices = new int[] {0};
    this.rewards = Collections.singletonList(null);
  }

  /**
   * @param rewards the rewards of all texts of a call; null for a text without a finite one
   * @param first the failure of the first such text
   */
  NonFiniteRewardException(List<Reward> rewards, NonFiniteRewardException first) {
    super(message(rewards, first), first);
    List<Integer> failed = new ArrayList<>();
    for (int i = 0; i < rewards.size(); i++) {
      if (rewards.get(i) == null) {
        failed.add(i);
      }
    }
    this.indices = failed.stream().mapToInt(i -> i).toArray();
    this.rewards = Collections.unmodifiableList(new ArrayList<>(rewards));
  }

  private static String message(List<Reward> rewards, NonFiniteRewardException first) {
    int count = Collections.frequency(rewards, null);
    return "text "
        + (rewards.indexOf(null) + 1)
        + (count == 1 ? "" : " and " + (count - 1) + " more")
        + " of "
        + rewards.size()
        + ": "
        + first.getMessage();
  }

  /**
   * {@return the indices of the texts without a finite reward, in the list that was given; 0 for a
   * call with one text}
   */
  public List<Integer> indices() {
    return Arrays.stream(indices).boxed().toList();
  }

  /**
   * {@return the rewards of all texts of the call, in their order; null for each that is not
   * finite} After a call with one text the list holds one null. Not serialized.
   */
  public List<Reward> rewards() {
    return rewards;
  }
}
