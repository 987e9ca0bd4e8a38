package dev.murmuration.llama;

import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.Function;

/**
 * The tokens of texts whose words have the same ones wherever they stand, as in Llama's
 * vocabularies: llama.cpp is asked once for a word, and a text takes a tenth of the time that it
 * needs for the whole. Any thread may use it.
 */
final class WordTokens {
  /** A few megabytes. */
  static final int MOST_WORDS = 1 << 15;

  /** Longer ones, in UTF-16, seldom come again. */
  private static final int LONGEST_WORD = 32;

  /** How SentencePiece writes a blank, and may be in a text as well. */
  private static final char BLANK = '\u2581';

  private final Function<String, int[]> tokenizer;
  private final boolean prefixed;
  private final Map<String, int[]> known = new ConcurrentHashMap<>();

  /**
   * @param tokenizer from a text without special tokens to its tokens
   * @param prefixed whether it puts a blank before every text
   */
  WordTokens(Function<String, int[]> tokenizer, boolean prefixed) {
    this.tokenizer = tokenizer;
    this.prefixed = prefixed;
  }

  /** Token ids, one after the other. */
  static final class Ids {
    private int[] ids;
    private int count;

    Ids(int capacity) {
      ids = new int[capacity];
    }

    void add(int id) {
      ensure(1);
      ids[count++] = id;
    }

    private void add(int[] more) {
      ensure(more.length);
      System.arraycopy(more, 0, ids, count, more.length);
      count += more.length;
    }

    private void ensure(int more) {
      if (count + more > ids.length) {
        ids = Arrays.copyOf(ids, Math.max(2 * ids.length, count + more));
      }
    }

    int[] toArray() {
      return Arrays.copyOf(ids, count);
    }
  }

  /** How many words are remembered. */
  int size() {
    return known.size();
  }

  /** Adds the tokens of a text in which there are no special tokens. */
  void add(String text, Ids ids) {
    int start = 0;
    while (start < text.length()) {
      int end = wordEnd(text, start);
      // The tokenizer puts the first blank of a later word back.
      ids.add(word(text.substring(prefixed && start > 0 ? start + 1 : start, end)));
      start = end;
    }
  }

  /**
   * Where the word ends that begins here, or with the blanks that begin here. Blanks at the end of
   * the text belong to its last word.
   */
  private static int wordEnd(String text, int start) {
    int end = start;
    while (end < text.length() && isBlank(text.charAt(end))) {
      end++;
    }
    while (end < text.length() && !isBlank(text.charAt(end))) {
      end++;
    }
    int next = end;
    while (next < text.length() && isBlank(text.charAt(next))) {
      next++;
    }
    return next == text.length() ? next : end;
  }

  private static boolean isBlank(char c) {
    return c == ' ' || c == BLANK;
  }

  private int[] word(String word) {
    int[] ids = known.get(word);
    if (ids == null) {
      ids = tokenizer.apply(word);
      if (word.length() <= LONGEST_WORD) {
        if (known.size() >= MOST_WORDS) {
          known.clear();
        }
        known.put(word, ids);
      }
    }
    return ids;
  }
}
