package dev.murmuration.engine;

import java.util.Arrays;

/** What texts have in common from their first token on. */
final class Prefix {
  private Prefix() {}

  /** How many first tokens are the same. */
  static int common(int[] a, int[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }
}
