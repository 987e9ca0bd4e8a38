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
  /** Counts. One thread counts, any may read. */
  static final class Counter {
    // A new record for each count, so that who reads has numbers of one moment.
    private volatile Tally tally = new Tally(0, 0, 0, 0, 0);

    Tally tally() {
      return tally;
    }

    /** A text was asked for by so many requests. */
    void asked(int requests, int tokens) {
      add(requests, (long) requests * tokens, 0, 0, 0);
    }

    void reused(long tokens) {
      add(0, 0, tokens, 0, 0);
    }

    void decoded(long tokens) {
      add(0, 0, 0, tokens, tokens == 0 ? 0 : 1);
    }

    private void add(long texts, long asked, long reused, long computed, long decodes) {
      Tally old = tally;
      tally =
          new Tally(
              old.texts + texts,
              old.tokensAsked + asked,
              old.tokensReused + reused,
              old.tokensComputed + computed,
              old.decodes + decodes);
    }
  }
}
