package dev.murmuration.engine;

import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.Set;

/**
 * Which texts lie in which sequence of the key/value cache, and their rewards; the least recently
 * used one goes first. Only a list: who changes it changes the cache in the same way. Not
 * thread-safe.
 */
final class PrefixCache {
  /**
   * A text in the cache, or the beginning of one.
   *
   * @param tokens never empty, never changed
   * @param reward at the last token, or NaN where it is not known
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Entry(int sequence, int[] tokens, double reward) {}

  /** The entry with the longest common beginning, null where that is nothing. */
  record Match(Entry entry, int length) {}

  /** Nothing in common. */
  static final Match NOTHING = new Match(null, 0);

  private final Deque<Integer> free = new ArrayDeque<>();
  // In the order of use; get is a use.
  private final Map<Integer, Entry> entries = new LinkedHashMap<>(16, 0.75f, true);
  private final int sequences;

  PrefixCache(int sequences) {
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
    entries.remove(sequence);
    free.add(sequence);
  }

  /** What a sequence holds now; this counts as a use. */
  void put(int sequence, int[] tokens, double reward) {
    entries.put(sequence, new Entry(sequence, tokens, reward));
  }

  /** The tokens that a sequence holds. */
  int[] tokens(int sequence) {
    return entries.get(sequence).tokens();
  }

  /** The entry that a text has the most first tokens in common with. */
  Match longest(int[] tokens) {
    Match best = NOTHING;
    for (Entry entry : entries.values()) {
      int length = Prefix.common(entry.tokens(), tokens);
      if (length > best.length()) {
        best = new Match(entry, length);
      }
    }
    return best;
  }

  /** The reward of exactly this text, where it is known; this counts as a use. */
  OptionalDouble reward(int[] tokens) {
    for (Entry entry : entries.values()) {
      if (!Double.isNaN(entry.reward()) && Arrays.equals(entry.tokens(), tokens)) {
        use(entry.sequence());
        return OptionalDouble.of(entry.reward());
      }
    }
    return OptionalDouble.empty();
  }

  /** Counts as a use of what a sequence holds. */
  void use(int sequence) {
    entries.get(sequence);
  }

  /**
   * Removes the entry that was not used for longest, without giving its sequence back.
   *
   * @param except sequences that stay
   * @return the sequence, or -1 if all others are gone
   */
  int removeOldest(Set<Integer> except) {
    for (Iterator<Integer> oldest = entries.keySet().iterator(); oldest.hasNext(); ) {
      int sequence = oldest.next();
      if (!except.contains(sequence)) {
        oldest.remove();
        return sequence;
      }
    }
    return -1;
  }

  void clear() {
    entries.clear();
    free.clear();
    for (int i = 0; i < sequences; i++) {
      free.add(i);
    }
  }
}
