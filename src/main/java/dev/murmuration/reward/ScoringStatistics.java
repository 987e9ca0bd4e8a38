package dev.murmuration.reward;

/**
 * What a model has done since it was loaded.
 *
 * @param texts texts scored
 * @param tokensAsked tokens of all of them
 * @param tokensReused tokens that an earlier call had left in the key/value cache, each counted
 *     once a call
 * @param tokensComputed tokens that llama.cpp computed; less than {@code tokensAsked} where texts
 *     begin alike
 * @param decodes calls of {@code llama_decode}
 */
public record ScoringStatistics(
    long texts, long tokensAsked, long tokensReused, long tokensComputed, long decodes) {
  ScoringStatistics plus(
      long moreTexts, long moreAsked, long moreReused, long moreComputed, long moreDecodes) {
    return new ScoringStatistics(
        texts + moreTexts,
        tokensAsked + moreAsked,
        tokensReused + moreReused,
        tokensComputed + moreComputed,
        decodes + moreDecodes);
  }

  /** What has been done since {@code earlier}. */
  public ScoringStatistics since(ScoringStatistics earlier) {
    return plus(
        -earlier.texts,
        -earlier.tokensAsked,
        -earlier.tokensReused,
        -earlier.tokensComputed,
        -earlier.decodes);
  }
}
