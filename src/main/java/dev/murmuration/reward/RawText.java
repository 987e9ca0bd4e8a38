package dev.murmuration.reward;

import java.util.Objects;

/**
 * A text that is scored as it stands, without a template; BOS is put in front of it.
 *
 * @param text the text, without a template
 */
public record RawText(String text) implements Input {
  /** Checks that the text is not null. */
  public RawText {
    Objects.requireNonNull(text, "text");
  }
}
