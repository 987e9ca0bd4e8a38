package dev.murmuration.llama;

/**
 * A call into llama.cpp failed. The message names what was tried, llama.cpp's own words where it
 * gave any, and a remedy.
 *
 * <p>The module exports {@code dev.murmuration.reward} alone, so modular callers cannot name this
 * class. They catch it as the {@link IllegalStateException} that it is: the call was right, but
 * this process or its memory could not do it.
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
