package dev.murmuration.reward;

import dev.murmuration.engine.Plan;
import java.util.List;
import java.util.Locale;

/**
 * What texts that are scored together cost. Printed, it explains itself.
 *
 * @param tokensAsked tokens of all texts, each counted as often as it was asked for
 * @param tokensReused tokens that are computed once though several texts of different waves begin
 *     with them, and stay in the key/value cache in between
 * @param tokensComputed tokens that llama.cpp computes, fillers included
 * @param fillers tokens computed only so that the others are computed in the same way every time;
 *     none where our own kernels compute
 * @param tokensSeen how many tokens each computed one attends to, itself included, summed up
 * @param decodes how many tokens llama.cpp is given in each of its calls, in their order
 */
public record ScoringCost(
    long tokensAsked,
    long tokensReused,
    long tokensComputed,
    long fillers,
    long tokensSeen,
    List<Integer> decodes) {
  /** Takes an unmodifiable copy of the list. */
  public ScoringCost {
    decodes = List.copyOf(decodes);
  }

  static ScoringCost of(Plan plan) {
    return new ScoringCost(
        plan.tokensAsked(),
        plan.tokensReused(),
        plan.tokensComputed(),
        plan.fillers(),
        plan.tokensSeen(),
        plan.decodes().stream().map(Plan.Decode::size).toList());
  }

  /** One line: tokens asked for, computed, reused, and the decodes. */
  @Override
  public String toString() {
    return String.format(
        Locale.ROOT,
        "%d tokens asked for, %d computed (%.1f %%%s), %d reused, %d %s %s",
        tokensAsked,
        tokensComputed,
        tokensAsked == 0 ? 0.0 : 100.0 * tokensComputed / tokensAsked,
        fillers == 0 ? "" : ", " + fillers + " of them fillers",
        tokensReused,
        decodes.size(),
        decodes.size() == 1 ? "decode" : "decodes",
        decodes);
  }
}
