package dev.murmuration.reward;

import dev.murmuration.engine.Plan;
import java.util.List;
import java.util.Locale;

/**
 * What it costs to score some texts together. {@link #toString} describes it in a line.
 *
 * @param tokensAsked tokens of all texts, each counted as often as it was asked for
 * @param tokensReused tokens that texts of a later wave take from the key/value cache, where an
 *     earlier wave has left them
 * @param tokensComputed tokens that llama.cpp computes, fillers included
 * @param fillers tokens that are computed only so that the others get the same bits every time;
 *     none where our own kernels compute
 * @param tokensSeen the sum, over all computed tokens, of the tokens that each attends to, itself
 *     included
 * @param decodes the number of tokens in each call of llama.cpp, in order
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
