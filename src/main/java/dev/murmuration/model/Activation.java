package dev.murmuration.model;

import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;

/** What is between two layers of a value head. */
public enum Activation {
  NONE,
  RELU,
  SILU,
  TANH;

  /** Its name in a file's metadata: {@code relu}. */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** The activation of this name, if there is one. */
  public static Optional<Activation> of(String label) {
    return Arrays.stream(values()).filter(a -> a.label().equals(label)).findFirst();
  }

  double apply(double x) {
    return switch (this) {
      case NONE -> x;
      case RELU -> Math.max(x, 0);
      case SILU -> x / (1 + Math.exp(-x));
      case TANH -> Math.tanh(x);
    };
  }
}
