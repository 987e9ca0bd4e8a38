package dev.murmuration.bench;

import java.util.Locale;

/** What can be measured. */
public enum BenchPart {
  PREFILL,
  BEST_OF,
  LATENCY,
  REUSE;

  public String label() {
    return name().toLowerCase(Locale.ROOT).replace('_', '-');
  }
}
