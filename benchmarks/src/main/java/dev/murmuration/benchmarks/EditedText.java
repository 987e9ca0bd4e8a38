package dev.murmuration.benchmarks;

/** A text of 400 tokens with its template, whose last 10 change. For one thread. */
public final class EditedText {
  /** Tokens of the whole text. */
  public static final int TOKENS = 400;

  private static final int PROMPT = 92;
  private static final int CHANGED = 10;

  private final Texts texts;
  private final String prompt;
  private final String kept;

  public EditedText(long seed) {
    texts = new Texts(seed);
    prompt = texts.words(PROMPT);
    kept = texts.words(TOKENS - Texts.TEMPLATE_TOKENS - PROMPT - CHANGED);
  }

  public String prompt() {
    return prompt;
  }

  /** The response with another ending. */
  public String edit() {
    return kept + " " + texts.words(CHANGED);
  }
}
