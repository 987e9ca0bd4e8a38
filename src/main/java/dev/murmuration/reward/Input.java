package dev.murmuration.reward;

/**
 * What is scored: a conversation, which a chat template turns into text; a text as it stands; or
 * the tokens themselves.
 */
public sealed interface Input permits Conversation, RawText, TokenIds {
  /**
   * What the tokenizer puts around a text: BOS in front and EOS behind, where the model has them.
   */
  enum Added {
    /** It always adds them. */
    ALWAYS,
    /**
     * It adds those that the text does not have already: for texts that a template has made, as
     * trainers send them.
     */
    IF_MISSING,
    /** It adds nothing. */
    NEVER
  }

  /**
   * {@return one prompt, which may not be empty, and one response, which may}
   *
   * @param prompt what is answered; not empty
   * @param response the text that is judged; may be empty
   * @throws IllegalArgumentException if the prompt is empty
   */
  static Conversation of(String prompt, String response) {
    return Conversation.of(prompt, response);
  }

  /**
   * {@return a text as it stands, without a template} BOS is put in front of it.
   *
   * @param text the text, without a template
   */
  static RawText text(String text) {
    return new RawText(text);
  }

  /**
   * {@return a text as it stands, without a template}
   *
   * @param text the text, without a template
   * @param added what the tokenizer puts around it
   */
  static RawText text(String text, Input.Added added) {
    return new RawText(text, added);
  }

  /**
   * {@return token ids as they are} Nothing is put in front of them.
   *
   * @param ids ids of the vocabulary
   * @throws IllegalArgumentException if there are none
   */
  static TokenIds tokens(int... ids) {
    return new TokenIds(ids);
  }
}
