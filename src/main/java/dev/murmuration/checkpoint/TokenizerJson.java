package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HexFormat;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads the tokens of a {@code tokenizer.json} of Hugging Face's tokenizers: a BPE with byte
 * fallback, to which Hugging Face converts SentencePiece models.
 *
 * <p>llama.cpp merges tokens in the order of their scores; the file has no scores, only a list of
 * merges. So scores are computed as in Llama 2's {@code tokenizer.model}: 0 for the first token
 * after the bytes, 1 less for each further one, and the lowest for tokens that consist of blanks.
 * If the merges are in another order than these scores, the file is refused. (llama.cpp's converter
 * gives every token the score -1000, with which it would tokenize texts differently.)
 */
final class TokenizerJson {
  private static final char BLANK = '\u2581';
  private static final float BLANKS_SCORE = -1e9f;
  private static final Set<String> BYTES = bytes();

  private final Path file;
  private final JsonNode root;
  private final JsonNode model;
  private final TokenTable tokens;
  private final Map<String, Integer> ids = new HashMap<>();
  private int firstNormal;

  private TokenizerJson(Path file, JsonNode root, TokenTable tokens) {
    this.file = file;
    this.root = root;
    this.model = root.path("model");
    this.tokens = tokens;
  }

  static SpecialTokens read(Path file, TokenTable tokens) throws IOException {
    return new TokenizerJson(file, JsonFile.read(file), tokens).read();
  }

  private SpecialTokens read() throws BadFileException {
    checkKind();
    readIds();
    for (Map.Entry<String, Integer> entry : ids.entrySet()) {
      setToken(entry.getKey(), entry.getValue());
    }
    String unknown = model.path("unk_token").asText("");
    addTokens(unknown);
    checkMerges();
    JsonNode first = root.path("post_processor").path("single").path(0).path("SpecialToken");
    return new SpecialTokens(
        id(first.path("id").asText("")), OptionalInt.empty(), id(unknown), OptionalInt.empty());
  }

  private void checkKind() throws BadFileException {
    if (!model.path("type").asText().equals("BPE") || !model.path("byte_fallback").asBoolean()) {
      throw problem(
          "its model is "
              + BadFileException.quote(model.path("type").asText())
              + " without byte fallback; only BPE with byte fallback, as Llama 2 has it, is"
              + " supported");
    }
    // llama.cpp puts a blank before a text; for a tokenizer without it the tokens would differ.
    boolean prepends =
        contains(root.path("normalizer"), "normalizers", "Prepend")
            || contains(root.path("pre_tokenizer"), "pretokenizers", "Metaspace");
    JsonNode scheme = root.path("pre_tokenizer").path("prepend_scheme");
    if (!prepends || scheme.asText("").equals("never")) {
      throw problem(
          "does not put a blank before a text, as Llama 2's does; give tokenizer.model instead");
    }
  }

  private static boolean contains(JsonNode node, String list, String type) {
    return node.path("type").asText().equals(type)
        || node.path(list).valueStream().anyMatch(item -> item.path("type").asText().equals(type));
  }

  private void readIds() throws BadFileException {
    boolean[] taken = new boolean[tokens.size()];
    for (Map.Entry<String, JsonNode> entry : model.path("vocab").properties()) {
      int id = checkedId(entry.getKey(), entry.getValue());
      if (taken[id]) {
        throw problem("two tokens have the id " + id);
      }
      taken[id] = true;
      ids.put(entry.getKey(), id);
    }
    for (String text : BYTES) {
      if (!ids.containsKey(text)) {
        throw problem("lacks the byte token " + text);
      }
      firstNormal = Math.max(firstNormal, ids.get(text) + 1);
    }
  }

  private int checkedId(String text, JsonNode id) throws BadFileException {
    if (!id.isInt() || id.intValue() < 0 || id.intValue() >= tokens.size()) {
      throw problem(
          "the token "
              + BadFileException.quote(text)
              + " has the id "
              + BadFileException.quote(id.toString())
              + ", config.json's vocab_size is "
              + tokens.size()
              + "; is it another model's?");
    }
    return id.intValue();
  }

  private void setToken(String text, int id) {
    if (BYTES.contains(text)) {
      tokens.set(id, text, 0, TokenType.BYTE);
    } else if (text.chars().allMatch(c -> c == BLANK)) {
      tokens.set(id, text, BLANKS_SCORE, TokenType.NORMAL);
    } else {
      tokens.set(id, text, Math.min(0, firstNormal - id), TokenType.NORMAL);
    }
  }

  private void addTokens(String unknown) throws BadFileException {
    for (JsonNode added : root.path("added_tokens")) {
      String text = added.path("content").asText("");
      JsonNode id = added.path("id");
      if (id.isInt() && id.intValue() >= tokens.size()) {
        continue; // It has no row in the embedding; llama.cpp's converter leaves it out as well.
      }
      boolean special = added.path("special").asBoolean();
      boolean own = ids.containsKey(text);
      TokenType type = special ? TokenType.CONTROL : TokenType.USER_DEFINED;
      tokens.set(
          checkedId(text, id),
          text,
          own ? 0 : TokenTable.ADDED_SCORE,
          text.equals(unknown) ? TokenType.UNKNOWN : type);
      ids.put(text, id.intValue());
    }
  }

  private void checkMerges() throws BadFileException {
    float before = Float.POSITIVE_INFINITY;
    for (JsonNode merge : model.path("merges")) {
      String text = mergedText(merge);
      Integer id = ids.get(text);
      float score = id == null ? Float.NaN : tokens.scores()[id];
      if (!(score <= before)) {
        throw problem(
            "the merge to "
                + BadFileException.quote(text)
                + " comes in an order that llama.cpp cannot follow; give tokenizer.model instead");
      }
      before = score;
    }
  }

  /**
   * The token that a merge makes. Older files join its two parts with a blank, newer ones list
   * them.
   */
  private static String mergedText(JsonNode merge) {
    if (merge.isArray()) {
      return merge.path(0).asText("") + merge.path(1).asText("");
    }
    return merge.asText("").replace(" ", "");
  }

  private OptionalInt id(String text) {
    Integer id = ids.get(text);
    return id == null ? OptionalInt.empty() : OptionalInt.of(id);
  }

  private static Set<String> bytes() {
    HexFormat hex = HexFormat.of().withUpperCase();
    String[] texts = new String[256];
    Arrays.setAll(texts, i -> "<0x" + hex.toHexDigits((byte) i) + ">");
    return Set.of(texts);
  }

  private BadFileException problem(String text) {
    return new BadFileException(file, text);
  }
}
