package dev.murmuration.cli;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;

/** How numbers are printed. */
final class Numbers {
  private Numbers() {}

  /**
   * A reward for machines: the fewest digits that give the same float again, without an exponent.
   */
  static String reward(double reward) {
    return new BigDecimal(Float.toString((float) reward)).toPlainString();
  }

  /** A reward for people, with its sign, three digits behind the point. */
  static String signed(double reward) {
    return String.format(Locale.ROOT, "%+.3f", reward);
  }

  /** A probability in per cent, for people: never 0 or 100 when it is not. */
  static String percent(double probability) {
    double percent = 100 * probability;
    if (percent > 0 && percent < 0.05) {
      return "< 0.1 %";
    }
    if (percent < 100 && percent >= 99.95) {
      return "> 99.9 %";
    }
    return String.format(Locale.ROOT, "%.1f %%", percent);
  }

  /** A probability for machines, with six digits. */
  static String probability(double probability) {
    return String.format(Locale.ROOT, "%.6g", probability);
  }

  /** A size for people, in the largest unit of which there is at least one. */
  static String bytes(long bytes) {
    if (bytes < 1 << 10) {
      return bytes + " B";
    }
    int power = Math.min(3, (63 - Long.numberOfLeadingZeros(bytes)) / 10);
    double amount = bytes / (double) (1L << (10 * power));
    return String.format(Locale.ROOT, amount < 10 ? "%.2f" : "%.1f", amount)
        + List.of(" B", " KiB", " MiB", " GiB").get(power);
  }

  /** Memory for people. */
  static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
