package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.MetadataRule;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/**
 * Checks a vocabulary of either kind. {@code llama_vocab} in {@code src/llama-vocab.cpp} asserts
 * that tokens are unique, and reads texts as C strings, which end at a NUL. {@link
 * SentencePieceVocabulary} and {@link ByteLevelVocabulary} check what is only one kind's.
 */
final class LlamaVocabulary {
  static final int MAX_TOKENS = 1 << 20;

  /**
   * llama.cpp searches each text once for each special token. Llama 3 has 256, Gemma 3 some 6,500.
   * This many take 0.05 seconds when a model is loaded, and as long for a text of 100 KB.
   */
  static final int MAX_SPECIAL_TOKENS = 1 << 14;

  private static final String MODEL = "tokenizer.ggml.model";
  private static final int MAX_TOKEN_BYTES = 4096;

  /** Unknown, control and user-defined: {@code cache_special_tokens} in llama-vocab.cpp. */
  private static final Set<Integer> SPECIAL_TYPES = Set.of(2, 3, 4);

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
    rules.put(TokenArrays.PRE, new MetadataRule.AnyOfType(GgufValueType.STRING));
    rules.put("tokenizer.ggml.token_type_count", new MetadataRule.AnyOfType(GgufValueType.UINT32));
    rules.put("tokenizer.ggml.suppress_tokens", new MetadataRule.ArrayOf(GgufValueType.INT32));
    rules.put("tokenizer.ggml.added_tokens", new MetadataRule.ArrayOf(GgufValueType.STRING));
    rules.put(TokenArrays.MERGES, new MetadataRule.ArrayOf(GgufValueType.STRING));
    rules.put(TokenArrays.TOKENS, new MetadataRule.ArrayOf(GgufValueType.STRING));
    rules.put(TokenArrays.SCORES, new MetadataRule.ArrayOf(GgufValueType.FLOAT32));
    rules.put(TokenArrays.TYPES, new MetadataRule.ArrayOf(GgufValueType.INT32));
    rules.put("tokenizer.chat_template", new MetadataRule.AnyOfType(GgufValueType.STRING));
    return Map.copyOf(rules);
  }

  /** Returns the number of tokens. */
  static int check(Gguf gguf) throws BadFileException {
    String model = gguf.string(MODEL).orElseThrow(() -> TokenArrays.missing(gguf, MODEL));
    boolean byteLevel = model.equals("gpt2");
    if (!byteLevel && !model.equals("llama")) {
      throw gguf.problem(
          MODEL
              + " is "
              + BadFileException.quote(model)
              + ", supported are \"llama\" (SentencePiece, as in Llama 2) and \"gpt2\" (byte-level"
              + " BPE, as in Llama 3)");
    }
    checkName(gguf);
    TokenArrays vocabulary = TokenArrays.of(gguf, MAX_TOKENS);
    checkKeys(gguf, vocabulary.size());
    checkTexts(vocabulary);
    checkTypes(vocabulary);
    if (byteLevel) {
      ByteLevelVocabulary.check(vocabulary);
    } else {
      SentencePieceVocabulary.check(vocabulary);
    }
    checkSpecials(vocabulary);
    return vocabulary.size();
  }

  /** llama.cpp takes blanks behind marks from models with such a name, or finds no token of it. */
  private static void checkName(Gguf gguf) throws BadFileException {
    String name = gguf.string("general.name").orElse("").toLowerCase(Locale.ROOT);
    if (name.contains("phi-3") || name.contains("phi3")) {
      throw gguf.problem(
          "general.name is "
              + BadFileException.quote(name)
              + ": llama.cpp tokenizes models with phi3 or phi-3 in their name otherwise; convert"
              + " it again and choose another with name(NAME)");
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
      } else if (key.startsWith("tokenizer.ggml.") && !key.equals(MODEL)) {
        throw gguf.problem(
            "the metadata key "
                + BadFileException.quote(key)
                + " is unknown; this kind of tokenizer is not supported");
      }
    }
  }

  private static void checkTexts(TokenArrays vocabulary) throws BadFileException {
    Set<String> seen = HashSet.newHashSet(vocabulary.size());
    for (int id = 0; id < vocabulary.size(); id++) {
      String text = vocabulary.text(id);
      if (text.isEmpty() || text.length() > MAX_TOKEN_BYTES || text.indexOf('\0') >= 0) {
        throw vocabulary.problem(
            id,
            "has " + text.length() + " bytes, expected 1 to " + MAX_TOKEN_BYTES + " without NUL");
      }
      if (!seen.add(text)) {
        throw vocabulary.problem(id, "appears twice");
      }
    }
  }

  private static void checkTypes(TokenArrays vocabulary) throws BadFileException {
    for (int id = 0; id < vocabulary.size(); id++) {
      int type = vocabulary.type(id);
      if (type < TokenArrays.TYPE_NORMAL || type > TokenArrays.TYPE_BYTE) {
        throw vocabulary
            .gguf()
            .problem(
                TokenArrays.TYPES
                    + ": token "
                    + id
                    + " has the type "
                    + type
                    + ", expected 1 to 6");
      }
    }
  }

  private static void checkSpecials(TokenArrays vocabulary) throws BadFileException {
    long specials = Arrays.stream(vocabulary.types()).filter(SPECIAL_TYPES::contains).count();
    if (specials > MAX_SPECIAL_TOKENS) {
      throw vocabulary
          .gguf()
          .problem(
              TokenArrays.TYPES
                  + " has "
                  + specials
                  + " special tokens (unknown, control or user-defined), the limit is "
                  + MAX_SPECIAL_TOKENS
                  + ", because every text is searched for each of them; convert the model again");
    }
  }
}
