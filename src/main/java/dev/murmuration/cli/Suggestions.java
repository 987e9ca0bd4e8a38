package dev.murmuration.cli;

import java.util.Collection;
import java.util.List;

/** Finds what somebody may have meant who made a typing error. */
final class Suggestions {
  private Suggestions() {}

  /** Those of the names that are nearest, if they are near at all. */
  static List<String> near(String typed, Collection<String> names) {
    int most = Math.max(1, typed.replaceFirst("^-+", "").length() / 3);
    int least =
        names.stream().mapToInt(name -> distance(typed, name)).min().orElse(Integer.MAX_VALUE);
    return least > most
        ? List.of()
        : names.stream().filter(name -> distance(typed, name) == least).sorted().toList();
  }

  /**
   * How many characters have to be inserted, left out, replaced or exchanged with their neighbour
   * (optimal string alignment).
   */
  private static int distance(String a, String b) {
    int[][] cost = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          cost[i][j] = i + j;
          continue;
        }
        int replaced = cost[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        cost[i][j] = Math.min(replaced, 1 + Math.min(cost[i - 1][j], cost[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          cost[i][j] = Math.min(cost[i][j], cost[i - 2][j - 2] + 1);
        }
      }
    }
    return cost[a.length()][b.length()];
  }
}
