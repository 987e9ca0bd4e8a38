package dev.murmuration.reward;

/**
 * What is scored: a conversation, which a chat template turns into text; a text as it stands; or
 * the tokens themselves.
 */
public sealed interface Input permits Conversation, RawText, TokenIds {
  /**
   * One prompt, which may not be empty, and one response, which may.
   *
   * @throws IllegalArgumentException if the prompt is empty
   */
  static Conversation of(String prompt, String response) {
    return Conversation.of(prompt, response);
  }

  /** A text as it stands, without a template; BOS is put in front of it. */
  static RawText text(String text) {
    return new RawText(text);
  }

  /**
   * Token ids as they are; nothing is put in front of them.
   *
   * @throws IllegalArgumentException if there are none
   */
  static TokenIds tokens(int... ids) {
    return new TokenIds(ids);
  }
}
