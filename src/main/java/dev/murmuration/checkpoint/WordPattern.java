package dev.murmuration.checkpoint;

import java.util.Map;
import java.util.Optional;

/**
 * The regular expressions with which byte-level tokenizers split texts into words, and the names
 * under which llama.cpp has the same.
 */
final class WordPattern {
  static final String LLAMA3 = "llama-bpe";
  static final String QWEN2 = "qwen2";

  private static final String CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  private static final String REST =
      "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
  private static final String WORDS = "|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+";

  private static final Map<String, String> NAMES =
      Map.of(
          CONTRACTIONS + WORDS + "|\\p{N}{1,3}" + REST, LLAMA3,
          CONTRACTIONS + WORDS + "|\\p{N}" + REST, QWEN2);

  private WordPattern() {}

  /** The name of a pattern, if it is one of those that published files hold. */
  static Optional<String> llamaCppName(String pattern) {
    return Optional.ofNullable(NAMES.get(canonical(pattern)));
  }

  /** The same pattern in the way of writing of Llama 3's file. */
  private static String canonical(String pattern) {
    return pattern
        .replace("\r", "\\r")
        .replace("\n", "\\n")
        .replace("(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])", CONTRACTIONS)
        .replace("'(?i:[sdmt]|ll|ve|re)", CONTRACTIONS)
        .replace("(?i:'(?:[sdmt]|ll|ve|re))", CONTRACTIONS)
        // Possessive: what follows begins with no character of the class, so it is the same.
        .replace("[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+", "[^\\r\\n\\p{L}\\p{N}]?\\p{L}+")
        .replace(" ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*", " ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*")
        .replace("|\\p{N}{1}|", "|\\p{N}|")
        // Blanks before it take all newlines but the last, so that one is as good as several.
        .replace("|\\s*[\\r\\n]|", "|\\s*[\\r\\n]+|");
  }
}
