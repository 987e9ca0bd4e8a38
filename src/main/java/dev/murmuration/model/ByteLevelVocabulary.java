package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.MetadataRule;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Checks what only a byte-level BPE vocabulary has. Its tokens are written in an alphabet of 256
 * letters, one for each byte. llama.cpp leaves out, without a word, what no token holds ({@code
 * llm_tokenizer_bpe_session} in {@code src/llama-vocab.cpp}): so each letter has to be a token, and
 * each merge has to make one.
 */
final class ByteLevelVocabulary {
  /** What llama.cpp splits as Llama 3 does, and with which it uses whole words before merges. */
  static final Set<String> LLAMA3 = Set.of("llama-bpe", "llama3", "llama-v3");

  /**
   * The ways to split a text into words for which llama.cpp has code of its own. For all others it
   * uses {@code std::regex}, which recurses with the length of the text and can end the process.
   */
  private static final Set<String> SPLITTERS =
      Set.of("llama-bpe", "llama3", "llama-v3", "smaug-bpe", "dbrx", "qwen2", "deepseek-r1-qwen");

  private static final int MAX_MERGES = 1 << 21;

  /**
   * Of a token that merges make, in bytes. llama.cpp keeps the text of each possible merge: a
   * megabyte of one letter makes a million of them. Qwen's and Llama 3's longest tokens have 256.
   */
  private static final int MAX_MERGED_BYTES = 1024;

  private ByteLevelVocabulary() {}

  static void check(TokenArrays tokens) throws BadFileException {
    Gguf gguf = tokens.gguf();
    if (gguf.string(TokenArrays.PRE).isEmpty()) {
      throw gguf.problem(
          "the metadata key "
              + TokenArrays.PRE
              + " is missing, so that it is not known how texts are split into words; convert the"
              + " model again, with its tokenizer");
    }
    new MetadataRule.OneOf(SPLITTERS).check(gguf, TokenArrays.PRE);
    Set<String> all = tokens.allTexts();
    for (int letter : letters()) {
      if (!all.contains(utf8(letter))) {
        throw gguf.problem(
            TokenArrays.TOKENS
                + " lacks "
                + BadFileException.quote(Character.toString(letter))
                + ", a letter of the alphabet that stands for bytes; convert the model again");
      }
    }
    for (int id = 0; id < tokens.size(); id++) {
      checkToken(tokens, id);
    }
    List<String> merges = tokens.required(TokenArrays.MERGES, GgufValueType.STRING).byteStrings();
    if (merges.size() > MAX_MERGES) {
      throw gguf.problem(
          TokenArrays.MERGES + " has " + merges.size() + " merges, the limit is " + MAX_MERGES);
    }
    for (int rank = 0; rank < merges.size(); rank++) {
      checkMerge(gguf, rank, merges.get(rank), all);
    }
  }

  private static void checkToken(TokenArrays tokens, int id) throws BadFileException {
    if (tokens.type(id) == TokenArrays.TYPE_BYTE) {
      throw tokens.problem(id, "has the type of a byte (6), which only SentencePiece has");
    }
    if (tokens.type(id) == TokenArrays.TYPE_NORMAL) {
      int length = tokens.text(id).length();
      if (length > MAX_MERGED_BYTES) {
        throw tokens.problem(id, "has " + length + " bytes, the limit is " + MAX_MERGED_BYTES);
      }
      if (!isSpelled(tokens.text(id))) {
        throw tokens.problem(id, "is not written in the alphabet that stands for bytes");
      }
    }
  }

  private static void checkMerge(Gguf gguf, int rank, String merge, Set<String> all)
      throws BadFileException {
    int blank = merge.indexOf(' ');
    String problem = "";
    if (blank < 1 || blank != merge.lastIndexOf(' ') || blank == merge.length() - 1) {
      problem = "is not two tokens with a blank between";
    } else if (!all.contains(merge.substring(0, blank) + merge.substring(blank + 1))) {
      problem = "makes no token of the vocabulary";
    } else if (merge.length() > MAX_MERGED_BYTES + 1) {
      problem = "makes a token of more than " + MAX_MERGED_BYTES + " bytes";
    }
    if (!problem.isEmpty()) {
      throw gguf.problem(
          TokenArrays.MERGES
              + ": merge "
              + rank
              + " "
              + BadFileException.quote(merge)
              + " "
              + problem
              + "; convert the model again, with its tokenizer");
    }
  }

  /** {@code unicode_byte_to_utf8_map} in {@code src/unicode.cpp}: bytes that print, then others. */
  private static boolean isLetter(int c) {
    return (c >= 0x21 && c <= 0x7e) || (c >= 0xa1 && c <= 0x143 && c != 0xad);
  }

  private static List<Integer> letters() {
    List<Integer> letters = new ArrayList<>(256);
    for (int c = 0; c <= 0x143; c++) {
      if (isLetter(c)) {
        letters.add(c);
      }
    }
    return letters;
  }

  /** A letter's bytes of UTF-8 as characters. */
  private static String utf8(int letter) {
    return letter < 0x80
        ? Character.toString(letter)
        : "" + (char) (0xc0 | (letter >> 6)) + (char) (0x80 | (letter & 0x3f));
  }

  /** Whether bytes of UTF-8, as characters, are letters of the alphabet. */
  private static boolean isSpelled(String text) {
    for (int i = 0; i < text.length(); i++) {
      int c = text.charAt(i);
      if (c >= 0x80) {
        i++;
        boolean pair = c >= 0xc2 && c <= 0xc5 && i < text.length() && text.charAt(i) >> 6 == 2;
        c = pair ? ((c & 0x1f) << 6) | (text.charAt(i) & 0x3f) : 0;
      }
      if (!isLetter(c)) {
        return false;
      }
    }
    return true;
  }
}
