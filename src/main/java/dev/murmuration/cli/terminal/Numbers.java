package dev.murmuration.cli.terminal;

import java.math.BigDecimal;
import java.util.List;
import java.util.Locale;

/** How numbers are printed. */
public final class Numbers {
  private Numbers() {}

  /**
   * A reward for machines: the fewest digits that give the same float again, without an exponent.
   */
  public static String reward(double reward) {
    return new BigDecimal(Float.toString((float) reward)).toPlainString();
  }

  /** A reward for people, with its sign, three digits behind the point. */
  public static String signed(double reward) {
    return String.format(Locale.ROOT, "%+.3f", reward);
  }

  /** A probability in per cent, for people: never 0 or 100 when it is not. */
  public static String percent(double probability) {
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
  public static String probability(double probability) {
    return String.format(Locale.ROOT, "%.6g", probability);
  }

  /** A size for people, in the largest unit of which there is at least one. */
  public static String bytes(long bytes) {
    if (bytes < 1 << 10) {
      return bytes + " B";
    }
    int power = Math.min(3, (63 - Long.numberOfLeadingZeros(bytes)) / 10);
    double amount = bytes / (double) (1L << (10 * power));
    return String.format(Locale.ROOT, amount < 10 ? "%.2f" : "%.1f", amount)
        + List.of(" B", " KiB", " MiB", " GiB").get(power);
  }

  /** How many of something, such as {@code 1 layer} and {@code 2 layers}. */
  public static String counted(long number, String what) {
    return number + " " + what + (number == 1 ? "" : "s");
  }

  /** A time for people, with three digits. */
  public static String duration(double seconds) {
    if (seconds < 0.9995e-3) {
      return digits(seconds * 1e6) + " µs";
    }
    return seconds < 0.9995 ? digits(seconds * 1e3) + " ms" : digits(seconds) + " s";
  }

  /** A large number for people, with three digits and a metric prefix: {@code 12.3 k}. */
  public static String metric(double number) {
    double scaled = number;
    int power = 0;
    while (scaled >= 999.5 && power < 5) {
      scaled /= 1000;
      power++;
    }
    return digits(scaled) + List.of("", " k", " M", " G", " T", " P").get(power);
  }

  private static String digits(double number) {
    String format = number >= 99.95 ? "%.0f" : number >= 9.995 ? "%.1f" : "%.2f";
    return String.format(Locale.ROOT, format, number);
  }

  /** Memory for people. */
  public static String gibibytes(long bytes) {
    return String.format(Locale.ROOT, "%.1f GiB", bytes / (double) (1L << 30));
  }
}
