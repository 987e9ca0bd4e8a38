package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufArray;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.MetadataRule;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks a SentencePiece vocabulary. {@code llama_vocab} in {@code src/llama-vocab.cpp} asserts
 * that tokens are unique, needs all of the 256 byte tokens, and reads texts as C strings, which end
 * at a NUL.
 */
final class LlamaVocabulary {
  static final int MAX_TOKENS = 1 << 20;

  /**
   * llama.cpp searches each text once for each special token. Llama 3 has 256, Gemma 3 some 6,500.
   * This many take 0.05 seconds when a model is loaded, and as long for a text of 100 KB.
   */
  static final int MAX_SPECIAL_TOKENS = 1 << 14;

  private static final int MAX_TOKEN_BYTES = 4096;
  private static final HexFormat HEX = HexFormat.of().withUpperCase();
  private static final int TYPE_NORMAL = 1;
  private static final int TYPE_BYTE = 6;

  /** Unknown, control and user-defined: {@code cache_special_tokens} in llama-vocab.cpp. */
  private static final Set<Integer> SPECIAL_TYPES = Set.of(2, 3, 4);

  private static final String TOKENS = "tokenizer.ggml.tokens";
  private static final String SCORES = "tokenizer.ggml.scores";
  private static final String TYPES = "tokenizer.ggml.token_type";

  private static final List<String> TOKEN_IDS =
      List.of(
          "bos",
          "eos",
          "eot",
          "eom",
          "unknown",
          "seperator",
          "padding",
          "cls",
          "mask",
          "fim_pre",
          "fim_suf",
          "fim_mid",
          "fim_pad",
          "fim_rep",
          "fim_sep",
          "prefix",
          "suffix",
          "middle");

  private static final Map<String, MetadataRule> RULES = rules();

  private LlamaVocabulary() {}

  private static Map<String, MetadataRule> rules() {
    Map<String, MetadataRule> rules = new HashMap<>();
    for (String flag :
        List.of(
            "add_bos_token",
            "add_eos_token",
            "add_sep_token",
            "add_space_prefix",
            "remove_extra_whitespaces",
            "normalizer.lowercase",
            "normalizer.strip_accents")) {
      rules.put("tokenizer.ggml." + flag, new MetadataRule.AnyOfType(GgufValueType.BOOL));
    }
    rules.put("tokenizer.ggml.pre", new MetadataRule.AnyOfType(GgufValueType.STRING));
    rules.put("tokenizer.ggml.token_type_count", new MetadataRule.AnyOfType(GgufValueType.UINT32));
    rules.put("tokenizer.ggml.suppress_tokens", new MetadataRule.ArrayOf(GgufValueType.INT32));
    rules.put("tokenizer.ggml.added_tokens", new MetadataRule.ArrayOf(GgufValueType.STRING));
    rules.put("tokenizer.ggml.merges", new MetadataRule.ArrayOf(GgufValueType.STRING));
    rules.put(TOKENS, new MetadataRule.ArrayOf(GgufValueType.STRING));
    rules.put(SCORES, new MetadataRule.ArrayOf(GgufValueType.FLOAT32));
    rules.put(TYPES, new MetadataRule.ArrayOf(GgufValueType.INT32));
    rules.put("tokenizer.chat_template", new MetadataRule.AnyOfType(GgufValueType.STRING));
    return Map.copyOf(rules);
  }

  /** Returns the number of tokens. */
  static int check(Gguf gguf) throws BadFileException {
    checkModel(gguf);
    GgufArray tokens = required(gguf, TOKENS, GgufValueType.STRING);
    GgufArray scores = required(gguf, SCORES, GgufValueType.FLOAT32);
    GgufArray types = required(gguf, TYPES, GgufValueType.INT32);
    int count = tokens.size();
    if (count > MAX_TOKENS) {
      throw gguf.problem(TOKENS + " has " + count + " tokens, the limit is " + MAX_TOKENS);
    }
    requireSize(gguf, SCORES, scores, count);
    requireSize(gguf, TYPES, types, count);
    checkKeys(gguf, count);
    List<String> texts = tokens.byteStrings();
    checkTexts(gguf, texts);
    checkScores(gguf, scores.floats());
    checkTypes(gguf, types.ints(), texts);
    checkSpecials(gguf, types.ints());
    return count;
  }

  private static void checkModel(Gguf gguf) throws BadFileException {
    String model =
        gguf.string("tokenizer.ggml.model")
            .orElseThrow(() -> missing(gguf, "tokenizer.ggml.model"));
    if (!model.equals("llama")) {
      throw gguf.problem(
          "tokenizer.ggml.model is "
              + BadFileException.quote(model)
              + ", only \"llama\" (SentencePiece, as in Llama 2) is supported");
    }
  }

  private static GgufArray required(Gguf gguf, String key, GgufValueType elementType)
      throws BadFileException {
    return gguf.array(key, elementType).orElseThrow(() -> missing(gguf, key));
  }

  private static BadFileException missing(Gguf gguf, String key) {
    return gguf.problem(
        "the metadata key " + key + " is missing; convert the model again, with its tokenizer");
  }

  private static void requireSize(Gguf gguf, String key, GgufArray array, int count)
      throws BadFileException {
    if (array.size() != count) {
      throw gguf.problem(
          key + " has " + array.size() + " elements, but " + TOKENS + " has " + count);
    }
  }

  private static void checkKeys(Gguf gguf, int count) throws BadFileException {
    MetadataRule tokenId = new MetadataRule.Uint32(0, count - 1L);
    Map<String, MetadataRule> rules = new HashMap<>(RULES);
    TOKEN_IDS.forEach(name -> rules.put("tokenizer.ggml." + name + "_token_id", tokenId));
    for (String key : gguf.metadata().keySet()) {
      MetadataRule rule = rules.get(key);
      if (rule != null) {
        rule.check(gguf, key);
      } else if (key.startsWith("tokenizer.ggml.") && !key.equals("tokenizer.ggml.model")) {
        throw gguf.problem(
            "the metadata key "
                + BadFileException.quote(key)
                + " is unknown; this kind of tokenizer is not supported");
      }
    }
  }

  private static void checkTexts(Gguf gguf, List<String> texts) throws BadFileException {
    Set<String> seen = HashSet.newHashSet(texts.size());
    for (int id = 0; id < texts.size(); id++) {
      String text = texts.get(id);
      if (text.isEmpty() || text.length() > MAX_TOKEN_BYTES || text.indexOf('\0') >= 0) {
        throw token(
            gguf,
            id,
            text,
            "has " + text.length() + " bytes, expected 1 to " + MAX_TOKEN_BYTES + " without NUL");
      }
      if (!seen.add(text)) {
        throw token(gguf, id, text, "appears twice");
      }
    }
    for (int value = 0; value < 256; value++) {
      if (!seen.contains(byteToken(value))) {
        throw gguf.problem(
            TOKENS + " lacks the byte token " + byteToken(value) + "; convert the model again");
      }
    }
  }

  private static void checkScores(Gguf gguf, float[] scores) throws BadFileException {
    for (int id = 0; id < scores.length; id++) {
      if (!Float.isFinite(scores[id])) {
        throw gguf.problem(SCORES + ": token " + id + " has the score " + scores[id]);
      }
    }
  }

  private static void checkTypes(Gguf gguf, int[] types, List<String> texts)
      throws BadFileException {
    for (int id = 0; id < types.length; id++) {
      if (types[id] < TYPE_NORMAL || types[id] > TYPE_BYTE) {
        throw gguf.problem(
            TYPES + ": token " + id + " has the type " + types[id] + ", expected 1 to 6");
      }
      if (types[id] == TYPE_BYTE && !isByteToken(texts.get(id))) {
        throw token(
            gguf, id, texts.get(id), "has the type of a byte (6), expected <0x00> to <0xFF>");
      }
    }
  }

  private static void checkSpecials(Gguf gguf, int[] types) throws BadFileException {
    long specials = Arrays.stream(types).filter(SPECIAL_TYPES::contains).count();
    if (specials > MAX_SPECIAL_TOKENS) {
      throw gguf.problem(
          TYPES
              + " has "
              + specials
              + " special tokens (unknown, control or user-defined), the limit is "
              + MAX_SPECIAL_TOKENS
              + ", because every text is searched for each of them; convert the model again");
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

  private static BadFileException token(Gguf gguf, int id, String text, String problem) {
    return gguf.problem(
        TOKENS + ": token " + id + " " + BadFileException.quote(text) + " " + problem);
  }
}
