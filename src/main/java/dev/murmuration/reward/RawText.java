package dev.murmuration.reward;

import java.util.Objects;

/** A text that is scored as it stands, without a template; BOS is put in front of it. */
public record RawText(String text) implements Input {
  public RawText {
    Objects.requireNonNull(text, "text");
  }
}
