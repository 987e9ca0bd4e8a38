package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufValueType;
import java.util.HexFormat;
import java.util.Set;

/**
 * Checks what only a SentencePiece vocabulary has: scores, by which tokens are merged, and a token
 * for each byte, without which llama.cpp fails at a character that no token holds.
 */
final class SentencePieceVocabulary {
  private static final HexFormat HEX = HexFormat.of().withUpperCase();

  private SentencePieceVocabulary() {}

  static void check(TokenArrays tokens) throws BadFileException {
    float[] scores = tokens.required(TokenArrays.SCORES, GgufValueType.FLOAT32).floats();
    tokens.requireSize(TokenArrays.SCORES, scores.length);
    Set<String> all = tokens.allTexts();
    for (int value = 0; value < 256; value++) {
      if (!all.contains(byteToken(value))) {
        throw tokens
            .gguf()
            .problem(
                TokenArrays.TOKENS
                    + " lacks the byte token "
                    + byteToken(value)
                    + "; convert the model again");
      }
    }
    for (int id = 0; id < scores.length; id++) {
      if (!Float.isFinite(scores[id])) {
        throw tokens
            .gguf()
            .problem(TokenArrays.SCORES + ": token " + id + " has the score " + scores[id]);
      }
      if (tokens.type(id) == TokenArrays.TYPE_BYTE && !isByteToken(tokens.text(id))) {
        throw tokens.problem(id, "has the type of a byte (6), expected <0x00> to <0xFF>");
      }
    }
  }

  private static boolean isByteToken(String text) {
    return text.length() == 6
        && text.startsWith("<0x")
        && text.endsWith(">")
        && Character.digit(text.charAt(3), 16) >= 0
        && Character.digit(text.charAt(4), 16) >= 0;
  }

  private static String byteToken(int value) {
    return "<0x" + HEX.toHexDigits((byte) value) + ">";
  }
}
