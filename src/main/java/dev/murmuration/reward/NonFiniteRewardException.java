package dev.murmuration.reward;

/** A model computed NaN or an infinity for a text. */
public final class NonFiniteRewardException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  NonFiniteRewardException(int tokens, boolean exact) {
    super(
        "the model computes no finite number for this text of "
            + tokens
            + " tokens; "
            + (exact ? "" : "its keys or values may overflow float16 (try --precision exact), or ")
            + (exact ? "its" : "the")
            + " weights are damaged ('murmur inspect --weights FILE' finds out)");
  }
}
