package dev.murmuration.reward;

import java.util.Arrays;
import java.util.Locale;

/**
 * The precision of attention. It is independent of the type of the weights, which affects the
 * rewards as well.
 */
public enum Precision {
  /**
   * Flash attention with a float16 key/value cache. The default. Within about 2e-3 of PyTorch on
   * float32 weights. Where our own kernels compute everything, a text always has the same bits,
   * whatever else is scored.
   */
  FAST,
  /**
   * Attention in float32. Within 1e-5 of PyTorch on float32 weights; for Gemma 2 within 1e-3,
   * because llama.cpp takes its activation from a table of float16 numbers. On a CPU a text always
   * has the same bits, whatever else is scored.
   */
  EXACT;

  /** {@return its name in options and results: {@code fast} or {@code exact}} */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * {@return the precision with this label}
   *
   * @param label its name, as {@link #label} gives it
   * @throws IllegalArgumentException if there is none
   */
  public static Precision of(String label) {
    return Arrays.stream(values())
        .filter(precision -> precision.label().equals(label))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no precision '" + label + "'; there are fast and exact"));
  }
}
