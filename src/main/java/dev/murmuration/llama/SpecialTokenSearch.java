package dev.murmuration.llama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Estimates how long llama.cpp takes to look for a vocabulary's special tokens in a text, which is
 * the first step of tokenizing and cannot be stopped ({@code tokenizer_st_partition} in {@code
 * src/llama-vocab.cpp}). For each special token it searches the whole text and the list of what it
 * has found so far, and for each find it walks through that list once more. Any thread may call.
 */
final class SpecialTokenSearch {
  /** The most special tokens found in a text: their number counts twice, as a square. */
  static final int MAX_FOUND = 16_384;

  /** The most nanoseconds that the search in a long text may take, roughly. */
  static final long MAX_COST = 2_000_000_000L;

  /** The same for a text that nobody waits for on another thread. */
  static final long MAX_SHORT_COST = 100_000_000L;

  // Nanoseconds, measured on a processor of 2024: a byte passed by memchr, a byte compared, and a
  // step through the list.
  private static final double PASS = 1 / 16.0;
  private static final double COMPARE = 1;
  private static final double STEP = 2;

  /** By their first byte. */
  private final List<List<byte[]>> tokens;

  private final int count;

  /**
   * @param tokens texts in UTF-8, none of them empty
   */
  SpecialTokenSearch(List<byte[]> tokens) {
    this.count = tokens.size();
    this.tokens = new ArrayList<>();
    for (int first = 0; first < 256; first++) {
      byte b = (byte) first;
      this.tokens.add(tokens.stream().filter(token -> token[0] == b).toList());
    }
  }

  /**
   * Refuses a text in which the search would take too long.
   *
   * @param maxCost nanoseconds, roughly
   * @throws IllegalArgumentException saying what it holds too much of
   */
  void check(byte[] utf8, long maxCost) {
    long most = (long) ((maxCost - PASS * count * utf8.length) / COMPARE);
    long compared = 0;
    long found = 0;
    byte[] example = {};
    // Where the next find of a token may begin, token by token: finds do not overlap.
    int[][] free = new int[256][];
    for (int at = 0; at < utf8.length && compared <= most && found <= MAX_FOUND; at++) {
      int first = utf8[at] & 0xFF;
      List<byte[]> candidates = tokens.get(first);
      for (int i = 0; i < candidates.size(); i++) {
        byte[] token = candidates.get(i);
        int end = Math.min(utf8.length, at + token.length);
        int mismatch = Arrays.mismatch(utf8, at, end, token, 0, end - at);
        compared += 8 + (mismatch < 0 ? token.length : mismatch);
        if (mismatch < 0 && end - at == token.length) {
          if (free[first] == null) {
            free[first] = new int[candidates.size()];
          }
          if (at >= free[first][i]) {
            free[first][i] = end;
            found++;
            example = token;
          }
        }
      }
    }
    if (found > MAX_FOUND) {
      throw new IllegalArgumentException(
          "the text holds more than "
              + MAX_FOUND
              + " special tokens of the model, such as '"
              + new String(example, StandardCharsets.UTF_8)
              + "'; shorten it, or take them out");
    }
    // The list has a fragment before and behind each find.
    double cost =
        PASS * count * utf8.length
            + COMPARE * compared
            + STEP * 2 * found * (found + (double) count);
    if (cost > maxCost) {
      throw new IllegalArgumentException(
          "looking for the model's "
              + count
              + " special tokens in a text of "
              + utf8.length
              + " bytes that holds "
              + found
              + " of them, and more that begins like them, would take too long; shorten it");
    }
  }
}
