package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * The tokens of a model, one for each row of its embedding. As in llama.cpp's converter, a row
 * without a token in the tokenizer gets a placeholder, which no text is tokenized to.
 */
final class TokenTable {
  private static final float PADDING_SCORE = -10_000;

  /** The score of added tokens, which are matched as a whole and not built by merges. */
  static final float ADDED_SCORE = -1_000;

  private final String[] texts;
  private final float[] scores;
  private final TokenType[] types;
  private final BitSet normalized = new BitSet();

  TokenTable(int size) {
    texts = new String[size];
    scores = new float[size];
    types = new TokenType[size];
    Arrays.setAll(texts, i -> "[PAD" + i + "]");
    Arrays.fill(scores, PADDING_SCORE);
    Arrays.fill(types, TokenType.UNUSED);
  }

  int size() {
    return texts.length;
  }

  void set(int id, String text, float score, TokenType type) {
    texts[id] = text;
    scores[id] = score;
    types[id] = type;
  }

  /** Notes whether an added token is looked for in the text that is normalized already. */
  void setNormalized(int id, boolean value) {
    normalized.set(id, value);
  }

  /** Whether it is an added token that is looked for in the normalized text. */
  boolean isNormalized(int id) {
    return normalized.get(id);
  }

  /** The texts of the added tokens that are looked for in the normalized text. */
  List<String> normalized() {
    return normalized.stream().mapToObj(id -> texts[id]).toList();
  }

  /** Whether a file has given this row a token. */
  boolean has(int id) {
    return id < size() && types[id] != TokenType.UNUSED;
  }

  /**
   * An id in a tokenizer's file.
   *
   * @throws BadFileException if it is no number, or has no row in the embedding
   */
  int checkedId(Path file, String text, JsonNode id) throws BadFileException {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() >= size()) {
      throw new BadFileException(
          file,
          "the token "
              + BadFileException.quote(text)
              + " has the id "
              + BadFileException.quote(id.toString())
              + ", config.json's vocab_size is "
              + size()
              + "; is it another model's?");
    }
    return id.intValue();
  }

  String text(int id) {
    return texts[id];
  }

  TokenType type(int id) {
    return types[id];
  }

  String[] texts() {
    return texts;
  }

  float[] scores() {
    return scores;
  }

  int[] typeIds() {
    return Arrays.stream(types).mapToInt(TokenType::id).toArray();
  }

  /** The token with this text, if there is one. */
  OptionalInt find(String text) {
    int id = Arrays.asList(texts).indexOf(text);
    return id < 0 ? OptionalInt.empty() : OptionalInt.of(id);
  }

  /** llama.cpp looks tokens up by their text, so that no two may have the same. */
  void checkUnique(Path file) throws BadFileException {
    Map<String, Integer> seen = new HashMap<>();
    for (int id = 0; id < texts.length; id++) {
      Integer before = seen.put(texts[id], id);
      if (before != null) {
        throw new BadFileException(
            file,
            "the tokens "
                + before
                + " and "
                + id
                + " have the same text "
                + BadFileException.quote(texts[id]));
      }
    }
  }
}
