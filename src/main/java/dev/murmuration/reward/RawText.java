package dev.murmuration.reward;

import java.util.Objects;

/**
 * A text that is scored as it stands, without a template.
 *
 * @param text the text, without a template
 * @param added what the tokenizer puts around it
 */
public record RawText(String text, Added added) implements Input {
  /** Checks that neither is null. */
  public RawText {
    Objects.requireNonNull(text, "text");
    Objects.requireNonNull(added, "added");
  }

  /**
   * A text around which the tokenizer puts what it always does.
   *
   * @param text the text, without a template
   */
  public RawText(String text) {
    this(text, Added.ALWAYS);
  }
}
