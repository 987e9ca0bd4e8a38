package dev.murmuration.reward;

import dev.murmuration.engine.Tally;

/**
 * What a model has done since it was loaded.
 *
 * @param texts texts scored
 * @param tokensAsked tokens of all of them
 * @param tokensReused tokens taken from the key/value cache, where an earlier call had left them; a
 *     token that several texts of one call take counts once
 * @param tokensComputed tokens that llama.cpp computed; less than {@code tokensAsked} where texts
 *     begin alike
 * @param decodes calls of {@code llama_decode}
 */
public record ScoringStatistics(
    long texts, long tokensAsked, long tokensReused, long tokensComputed, long decodes) {
  static ScoringStatistics of(Tally tally) {
    return new ScoringStatistics(
        tally.texts(),
        tally.tokensAsked(),
        tally.tokensReused(),
        tally.tokensComputed(),
        tally.decodes());
  }

  /**
   * {@return what has been done since {@code earlier}}
   *
   * @param earlier an earlier state of the same model
   */
  public ScoringStatistics since(ScoringStatistics earlier) {
    return new ScoringStatistics(
        texts - earlier.texts,
        tokensAsked - earlier.tokensAsked,
        tokensReused - earlier.tokensReused,
        tokensComputed - earlier.tokensComputed,
        decodes - earlier.decodes);
  }
}
