package dev.murmuration.llama;

/**
 * A call into llama.cpp failed. The message says what failed, quotes llama.cpp if it logged an
 * error, and names a remedy.
 *
 * <p>The module exports {@code dev.murmuration.reward} alone, so modular callers cannot name this
 * class. They catch its superclass {@link IllegalStateException}: the arguments were valid, but
 * this process could not do it, for want of memory for example.
 */
public final class LlamaException extends IllegalStateException {
  private static final long serialVersionUID = 1L;

  private final String function;
  private final int code;

  LlamaException(String function, int code, String message) {
    super(message);
    this.function = function;
    this.code = code;
  }

  /** The native function that failed, such as {@code llama_decode}. */
  public String function() {
    return function;
  }

  /**
   * Its result: llama.cpp's own code, or one of the shim's ({@code MURMUR_*} in {@code
   * murmur_shim.h}); 0 when it gave none.
   */
  public int code() {
    return code;
  }
}
