package dev.murmuration.engine;

/**
 * What an engine has done since it was started.
 *
 * @param texts texts scored
 * @param tokensAsked tokens of all of them
 * @param tokensReused tokens that an earlier wave had left in the key/value cache, each counted
 *     once a wave
 * @param tokensComputed tokens that llama.cpp computed
 * @param decodes calls of {@code llama_decode}
 */
public record Tally(
    long texts, long tokensAsked, long tokensReused, long tokensComputed, long decodes) {
  Tally plus(long moreTexts, long moreAsked, long moreReused, long moreComputed, long moreDecodes) {
    return new Tally(
        texts + moreTexts,
        tokensAsked + moreAsked,
        tokensReused + moreReused,
        tokensComputed + moreComputed,
        decodes + moreDecodes);
  }
}
