package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Source;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.function.IntPredicate;
import java.util.function.IntUnaryOperator;

/**
 * Which texts lie in which sequence of the key/value cache, and their rewards; the least recently
 * used one goes first. It only keeps the list: whoever changes it has to change the cache in the
 * same way. Not thread-safe.
 */
final class CachedTexts {
  /**
   * A text in the cache, or the beginning of one.
   *
   * @param tokens never empty, never changed
   * @param reward at the last token, or NaN where it is not known
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record CachedText(int[] tokens, double reward) {}

  private final Deque<Integer> free = new ArrayDeque<>();
  // By sequence, in the order of use; get is a use.
  private final Map<Integer, CachedText> texts = new LinkedHashMap<>(16, 0.75f, true);
  private final int sequences;

  CachedTexts(int sequences) {
    this.sequences = sequences;
    clear();
  }

  int freeSequences() {
    return free.size();
  }

  /** A sequence that holds nothing, for a text that is to be computed. */
  int take() {
    return free.remove();
  }

  /** Gives a sequence back that was emptied. */
  void giveBack(int sequence) {
    texts.remove(sequence);
    free.add(sequence);
  }

  /** What a sequence holds now; this counts as a use. */
  void put(int sequence, int[] tokens, double reward) {
    texts.put(sequence, new CachedText(tokens, reward));
  }

  /** A sequence was cut to the first tokens of its text; this counts as a use. */
  void shorten(int sequence, int length) {
    put(sequence, Arrays.copyOf(texts.get(sequence).tokens(), length), Double.NaN);
  }

  /** The sequence that a text has the most first tokens in common with, and how many. */
  Source longest(int[] tokens) {
    return longest(tokens, _ -> tokens.length);
  }

  /**
   * The same where only a part of each text can be reused.
   *
   * @param usable of a sequence, how many of its first tokens count
   */
  Source longest(int[] tokens, IntUnaryOperator usable) {
    Source best = Source.NOTHING;
    for (Map.Entry<Integer, CachedText> cached : texts.entrySet()) {
      int sequence = cached.getKey();
      int common = Prefix.common(cached.getValue().tokens(), tokens);
      if (common > best.length()) {
        common = Math.min(common, usable.applyAsInt(sequence));
      }
      if (common > best.length()) {
        best = new Source(sequence, common);
      }
    }
    return best;
  }

  /** The reward of exactly this text, where it is known; this counts as a use. */
  OptionalDouble reward(int[] tokens) {
    for (Map.Entry<Integer, CachedText> cached : texts.entrySet()) {
      double reward = cached.getValue().reward();
      if (!Double.isNaN(reward) && Arrays.equals(cached.getValue().tokens(), tokens)) {
        texts.get(cached.getKey());
        return OptionalDouble.of(reward);
      }
    }
    return OptionalDouble.empty();
  }

  /** The sequence that was not used for longest, of some. */
  OptionalInt oldest(IntPredicate some) {
    return texts.keySet().stream().mapToInt(sequence -> sequence).filter(some).findFirst();
  }

  void clear() {
    texts.clear();
    free.clear();
    for (int i = 0; i < sequences; i++) {
      free.add(i);
    }
  }
}
