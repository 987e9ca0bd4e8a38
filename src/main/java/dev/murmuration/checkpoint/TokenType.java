package dev.murmuration.checkpoint;

/** What a token is for ({@code llama_token_type} in {@code include/llama.h}). */
enum TokenType {
  NORMAL(1),
  UNKNOWN(2),
  CONTROL(3),
  USER_DEFINED(4),
  UNUSED(5),
  BYTE(6);

  private final int id;

  TokenType(int id) {
    this.id = id;
  }

  /** The number that stands for this type in a GGUF. */
  int id() {
    return id;
  }
}
