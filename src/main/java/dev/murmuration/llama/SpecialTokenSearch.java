package dev.murmuration.llama;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/**
 * Estimates how long llama.cpp takes to look for a vocabulary's special tokens in a text, which is
 * the first step of tokenizing and cannot be stopped ({@code tokenizer_st_partition} in {@code
 * src/llama-vocab.cpp}). For each special token it searches the whole text and the list of what it
 * has found so far, and for each find it walks through that list once more. Any thread may call.
 */
final class SpecialTokenSearch {
  /** The most special tokens found in a text: their number counts twice, as a square. */
  static final int MAX_FOUND = 16_384;

  /** Of places where one may begin: runs of one character can be tokens of many lengths. */
  private static final int MAX_OVERLAPPING = 1 << 19;

  /** The most nanoseconds that the search in a long text may take, roughly. */
  static final long MAX_COST = 2_000_000_000L;

  /** The same for a text that nobody waits for on another thread. */
  static final long MAX_SHORT_COST = 100_000_000L;

  // Nanoseconds, measured on a processor of 2024: a byte passed by memchr, a byte compared, and a
  // step through the list.
  private static final double PASS = 1 / 16.0;
  private static final double COMPARE = 1;
  private static final double STEP = 2;

  /** The longest first, as llama.cpp looks for them; of equal length, the leftmost. */
  private static final Comparator<Find> IN_LLAMA_CPPS_ORDER =
      Comparator.<Find>comparingInt(find -> find.start() - find.end())
          .thenComparingInt(Find::start);

  /** By their first byte. */
  private final List<List<Token>> tokens;

  private final int count;
  private final Map<Integer, String> texts = new LinkedHashMap<>();

  /**
   * A special token.
   *
   * @param text in UTF-8, not empty
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  record Token(int id, byte[] text) {}

  /** Where a special token stands in a text, in bytes. */
  record Find(int start, int end, int token) {}

  SpecialTokenSearch(List<Token> tokens) {
    this.count = tokens.size();
    this.tokens = new ArrayList<>();
    for (int first = 0; first < 256; first++) {
      byte b = (byte) first;
      this.tokens.add(tokens.stream().filter(token -> token.text()[0] == b).toList());
    }
    tokens.forEach(
        token -> texts.put(token.id(), new String(token.text(), StandardCharsets.UTF_8)));
  }

  /** The text of a special token; null if the token is none. */
  String text(int token) {
    return texts.get(token);
  }

  /** Whether a special token could begin in a text and end behind it, or goes beyond both ends. */
  boolean mayEndIn(String text) {
    char last = text.charAt(text.length() - 1);
    for (String token : texts.values()) {
      for (int i = token.indexOf(last); i >= 0 && i < token.length() - 1; ) {
        if (i < text.length()
            ? text.endsWith(token.substring(0, i + 1))
            : token.startsWith(text, i + 1 - text.length())) {
          return true;
        }
        i = token.indexOf(last, i + 1);
      }
    }
    return false;
  }

  /** Whether a special token could begin before a text and end in it. */
  boolean mayBeginBefore(String text) {
    char first = text.charAt(0);
    for (String token : texts.values()) {
      for (int i = token.indexOf(first, 1); i >= 0; i = token.indexOf(first, i + 1)) {
        if (text.startsWith(token.substring(i))) {
          return true;
        }
      }
    }
    return false;
  }

  /**
   * The special tokens that llama.cpp would find in a text, in order.
   *
   * @throws IllegalArgumentException as {@link #check}
   */
  List<Find> find(byte[] utf8, long maxCost) {
    check(utf8, maxCost);
    List<Find> all = new ArrayList<>();
    for (int at = 0; at < utf8.length; at++) {
      for (Token token : tokens.get(utf8[at] & 0xFF)) {
        int end = at + token.text().length;
        if (end <= utf8.length && Arrays.equals(utf8, at, end, token.text(), 0, end - at)) {
          all.add(new Find(at, end, token.id()));
        }
      }
      if (all.size() > MAX_OVERLAPPING) {
        throw tooMany(tokens.get(utf8[at] & 0xFF).getFirst().text());
      }
    }
    all.sort(IN_LLAMA_CPPS_ORDER);
    TreeMap<Integer, Find> taken = new TreeMap<>();
    for (Find find : all) {
      Map.Entry<Integer, Find> before = taken.lowerEntry(find.end());
      if (before == null || before.getValue().end() <= find.start()) {
        taken.put(find.start(), find);
      }
    }
    return List.copyOf(taken.values());
  }

  private static IllegalArgumentException tooMany(byte[] example) {
    return new IllegalArgumentException(
        "the text holds more than "
            + MAX_FOUND
            + " special tokens of the model, such as '"
            + new String(example, StandardCharsets.UTF_8)
            + "'; shorten it, or take them out");
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
      List<Token> candidates = tokens.get(first);
      for (int i = 0; i < candidates.size(); i++) {
        byte[] token = candidates.get(i).text();
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
      throw tooMany(example);
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
