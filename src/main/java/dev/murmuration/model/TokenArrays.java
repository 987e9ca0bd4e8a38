package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufArray;
import dev.murmuration.gguf.GgufValueType;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/**
 * The arrays that make a vocabulary of either kind.
 *
 * @param texts bytes of UTF-8 as characters
 * @param types what the tokens are for, as {@code llama_token_type} has it
 */
@SuppressWarnings("ArrayRecordComponent") // Never compared.
record TokenArrays(Gguf gguf, List<String> texts, int[] types) {
  static final String TOKENS = "tokenizer.ggml.tokens";
  static final String SCORES = "tokenizer.ggml.scores";
  static final String TYPES = "tokenizer.ggml.token_type";
  static final String MERGES = "tokenizer.ggml.merges";
  static final String PRE = "tokenizer.ggml.pre";

  static final int TYPE_NORMAL = 1;
  static final int TYPE_USER_DEFINED = 4;
  static final int TYPE_BYTE = 6;

  static TokenArrays of(Gguf gguf, int most) throws BadFileException {
    GgufArray tokens = required(gguf, TOKENS, GgufValueType.STRING);
    GgufArray types = required(gguf, TYPES, GgufValueType.INT32);
    if (tokens.size() > most) {
      throw gguf.problem(TOKENS + " has " + tokens.size() + " tokens, the limit is " + most);
    }
    TokenArrays arrays = new TokenArrays(gguf, tokens.byteStrings(), types.ints());
    arrays.requireSize(TYPES, types.size());
    return arrays;
  }

  int size() {
    return texts.size();
  }

  String text(int id) {
    return texts.get(id);
  }

  int type(int id) {
    return types[id];
  }

  Set<String> allTexts() {
    return new HashSet<>(texts);
  }

  GgufArray required(String key, GgufValueType elementType) throws BadFileException {
    return required(gguf, key, elementType);
  }

  private static GgufArray required(Gguf gguf, String key, GgufValueType elementType)
      throws BadFileException {
    return gguf.array(key, elementType).orElseThrow(() -> missing(gguf, key));
  }

  static BadFileException missing(Gguf gguf, String key) {
    return gguf.problem(
        "the metadata key " + key + " is missing; convert the model again, with its tokenizer");
  }

  void requireSize(String key, int size) throws BadFileException {
    if (size != size()) {
      throw gguf.problem(key + " has " + size + " elements, but " + TOKENS + " has " + size());
    }
  }

  /** What is wrong with a token. */
  BadFileException problem(int id, String problem) {
    return gguf.problem(
        TOKENS + ": token " + id + " " + BadFileException.quote(text(id)) + " " + problem);
  }
}
