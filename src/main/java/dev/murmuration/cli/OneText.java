package dev.murmuration.cli;

import dev.murmuration.reward.Conversation;
import java.io.IOException;
import picocli.CommandLine.ArgGroup;

/** The options that give one text to score: prompt and response, or raw text. */
final class OneText {
  @ArgGroup(multiplicity = "0..1")
  private Texts.Prompt prompt;

  @ArgGroup(multiplicity = "0..1")
  private Texts.Response response;

  @ArgGroup(multiplicity = "0..1")
  private Texts.Raw raw;

  /** What was given: a conversation, or raw text and no conversation. */
  record Given(Conversation conversation, String raw) {}

  boolean isAbsent() {
    return prompt == null && response == null && raw == null;
  }

  /**
   * Reads what was given.
   *
   * @throws IllegalArgumentException if it is too little or too much, or the prompt is empty
   */
  Given read(Terminal terminal) throws IOException {
    if (raw != null && (prompt != null || response != null)) {
      throw new IllegalArgumentException("--text stands alone; leave it out, or --prompt and --response");
    }
    if (raw != null) {
      return new Given(null, raw.get(terminal));
    }
    if (prompt == null || response == null) {
      throw new IllegalArgumentException(
          (prompt == null ? "--prompt" : "--response")
              + " is missing; a response is judged as the answer to a prompt (or give raw text with --text)");
    }
    return new Given(Conversation.of(prompt.get(terminal), response.get(terminal)), null);
  }
}
