package dev.murmuration.reward;

import dev.murmuration.model.ReadoutRule;
import java.util.Arrays;
import java.util.Locale;

/**
 * Which token's hidden state a reward is read from. A model file carries its own rule, and a
 * conversion chooses what the published code of the model does.
 */
public enum Readout {
  /** The last token of the text; what this library means by a reward. */
  LAST_TOKEN,
  /**
   * The last token that is not the padding token, as transformers' sequence classification reads
   * it. If the text itself ends with that token, an earlier one is read; if it consists of padding
   * tokens alone, the first.
   */
  BEFORE_PAD,
  /**
   * The token before the first padding token, as the code of Starling-RM-34B and Qwen2.5-Math-RM
   * reads it; the last token where there is none, or where the text begins with one.
   */
  BEFORE_FIRST_PAD,
  /**
   * What the code on Starling-RM-7B's card returns: the hidden state of an {@code <unk>} that is
   * put at position 2047, behind the text. This token attends to the text and not to itself. A text
   * of 2048 tokens or more is read at its last token. For models of that layout alone; there is no
   * trace.
   */
  PUBLISHED;

  /** {@return its name in options, files and results, such as {@code last_token}} */
  public String label() {
    return name().toLowerCase(Locale.ROOT);
  }

  /**
   * {@return the read-out with this label}
   *
   * @param label its name, as {@link #label} gives it
   * @throws IllegalArgumentException if there is none
   */
  public static Readout of(String label) {
    String known = ReadoutRule.requireName(label);
    return Arrays.stream(values())
        .filter(readout -> readout.label().equals(known))
        .findFirst()
        .orElseThrow();
  }

  static Readout of(ReadoutRule rule) {
    return of(rule.name());
  }
}
