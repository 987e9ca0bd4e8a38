package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Reads a {@code tokenizer.json} of Hugging Face's tokenizers: a byte-level BPE, or a BPE with byte
 * fallback, to which Hugging Face converts SentencePiece models.
 *
 * <p>With byte fallback, llama.cpp merges tokens in the order of their scores; the file has no
 * scores, only a list of merges. So scores are computed as in Llama 2's {@code tokenizer.model}: 0
 * for the first token after the bytes, 1 less for each further one, and the lowest for tokens that
 * consist of blanks, where these are merged last. If the merges are in another order than these
 * scores, the file is refused. (llama.cpp's converter gives every token the score -1000, with which
 * it would tokenize texts differently.)
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

  static TokenizerModel read(Path file, JsonNode root, TokenTable tokens) throws BadFileException {
    return new TokenizerJson(file, root, tokens).read();
  }

  /**
   * Checks that a file is of the kind that is supported, and has the tokens that another file gave.
   */
  static void requireSame(
      Path file, JsonNode root, TokenizerPipeline pipeline, Path other, TokenTable tokens)
      throws BadFileException {
    TokenizerJson json = new TokenizerJson(file, root, tokens);
    json.checkType();
    json.checkKind(pipeline);
    json.readIds();
    json.checkBlanks();
    for (Map.Entry<String, Integer> entry : json.ids.entrySet()) {
      String text = tokens.text(entry.getValue());
      if (!text.equals(entry.getKey())) {
        throw json.problem(
            "the token "
                + entry.getValue()
                + " is "
                + BadFileException.quote(entry.getKey())
                + ", and "
                + other.getFileName()
                + " has "
                + BadFileException.quote(text)
                + "; one of the two files is another model's: name the right one with"
                + " tokenizer(FILE)");
      }
    }
  }

  private TokenizerModel read() throws BadFileException {
    checkType();
    TokenizerPipeline pipeline = TokenizerPipeline.read(file, root);
    checkKind(pipeline);
    List<String> merges = List.of();
    String unknown = model.path("unk_token").asText("");
    if (pipeline.byteLevel()) {
      ByteLevelTokens bytes = new ByteLevelTokens(file, model.path("vocab"), tokens);
      merges = bytes.merges(model.path("merges"));
      ids.putAll(bytes.ids());
      addTokens("", true);
    } else {
      readIds();
      for (Map.Entry<String, Integer> entry : ids.entrySet()) {
        setToken(entry.getKey(), entry.getValue());
      }
      addTokens(unknown, false);
      if (outOfOrder().isPresent()) {
        lowerBlanks();
      }
      checkMerges();
      checkBlanks();
    }
    return new TokenizerModel(
        pipeline.byteLevel() ? TokenizerModel.BYTE_LEVEL : TokenizerModel.SENTENCE_PIECE,
        pipeline.byteLevel() ? pre(pipeline) : "default",
        merges,
        new SpecialTokens(
            id(pipeline.bos().orElse("")),
            id(pipeline.eos().orElse("")),
            id(unknown),
            OptionalInt.empty()),
        pipeline.normalizer(),
        pipeline.prefix(),
        pipeline.addsBos(),
        pipeline.addsEos());
  }

  /** llama.cpp knows from this name as well whether whole words are used before merges. */
  private String pre(TokenizerPipeline pipeline) throws BadFileException {
    boolean wholeWords = model.path("ignore_merges").asBoolean();
    if (pipeline.pre().equals(WordPattern.LLAMA3)) {
      return wholeWords ? WordPattern.LLAMA3 : "smaug-bpe";
    }
    if (wholeWords) {
      throw problem(
          "has Qwen2's pattern and ignore_merges, which llama.cpp cannot follow together");
    }
    return pipeline.pre();
  }

  private void checkType() throws BadFileException {
    String type = model.path("type").asText("BPE");
    if (!type.equals("BPE")) {
      throw problem("its model is " + BadFileException.quote(type) + "; only \"BPE\" is supported");
    }
  }

  private void checkKind(TokenizerPipeline pipeline) throws BadFileException {
    if (!pipeline.byteLevel() && model.path("ignore_merges").asBoolean()) {
      throw problem(
          "uses whole texts before merges (ignore_merges), which llama.cpp cannot follow");
    }
    if (!pipeline.byteLevel() && !model.path("byte_fallback").asBoolean()) {
      throw problem(
          "its model is BPE without byte fallback, and its pre_tokenizer is not byte-level; only"
              + " BPE with one of them is supported");
    }
    for (String affix : List.of("continuing_subword_prefix", "end_of_word_suffix")) {
      if (!model.path(affix).asText("").isEmpty() && !model.path(affix).isNull()) {
        throw problem(
            "has the "
                + affix
                + " "
                + BadFileException.quote(model.path(affix).asText())
                + ", which llama.cpp cannot follow");
      }
    }
    if (model.path("dropout").asDouble(0) > 0) {
      throw problem("leaves out merges at random (dropout), so that rewards would be random");
    }
  }

  private void readIds() throws BadFileException {
    boolean[] taken = new boolean[tokens.size()];
    for (Map.Entry<String, JsonNode> entry : model.path("vocab").properties()) {
      int id = tokens.checkedId(file, entry.getKey(), entry.getValue());
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

  private void setToken(String text, int id) {
    if (BYTES.contains(text)) {
      tokens.set(id, text, 0, TokenType.BYTE);
    } else {
      tokens.set(id, text, Math.min(0, firstNormal - id), TokenType.NORMAL);
    }
  }

  private void addTokens(String unknown, boolean byteLevel) throws BadFileException {
    for (JsonNode added : root.path("added_tokens")) {
      addToken(file, added, tokens, unknown, byteLevel);
      ids.put(added.path("content").asText(""), added.path("id").asInt());
    }
  }

  /**
   * Adds one of the {@code added_tokens} to a table that has the others; nothing if it has no row
   * in the embedding, as llama.cpp's converter does.
   *
   * @param unknown text of the token for what is not known
   */
  static void addToken(
      Path file, JsonNode added, TokenTable tokens, String unknown, boolean byteLevel)
      throws BadFileException {
    String text = added.path("content").asText("");
    JsonNode id = added.path("id");
    if (id.isInt() && id.intValue() >= tokens.size()) {
      return;
    }
    requirePlain(file, added);
    int row = tokens.checkedId(file, text, id);
    tokens.setNormalized(row, added.path("normalized").asBoolean());
    boolean special = added.path("special").asBoolean();
    boolean own = tokens.type(row) != TokenType.UNUSED;
    boolean isUnknown = text.equals(unknown) || tokens.type(row) == TokenType.UNKNOWN;
    TokenType control = isUnknown ? TokenType.UNKNOWN : TokenType.CONTROL;
    tokens.set(
        row,
        // llama.cpp finds what the user defined in the text as it is, with blanks.
        special || byteLevel ? text : text.replace(BLANK, ' '),
        own ? 0 : TokenTable.ADDED_SCORE,
        special ? control : TokenType.USER_DEFINED);
  }

  /** Refuses an added token that takes blanks beside it, or is found only as a word. */
  static void requirePlain(Path file, JsonNode added) throws BadFileException {
    for (String flag : List.of("lstrip", "rstrip", "single_word")) {
      if (added.path(flag).asBoolean()) {
        throw new BadFileException(
            file,
            "its added token "
                + BadFileException.quote(added.path("content").asText(""))
                + " has "
                + flag
                + ", which llama.cpp cannot follow");
      }
    }
  }

  private void lowerBlanks() {
    for (Map.Entry<String, Integer> entry : ids.entrySet()) {
      if (tokens.type(entry.getValue()) == TokenType.NORMAL
          && entry.getKey().chars().allMatch(c -> c == BLANK)) {
        tokens.set(entry.getValue(), entry.getKey(), BLANKS_SCORE, TokenType.NORMAL);
      }
    }
  }

  private void checkMerges() throws BadFileException {
    Optional<String> wrong = outOfOrder();
    if (wrong.isPresent()) {
      throw problem(
          "the merge to "
              + BadFileException.quote(wrong.get())
              + " comes in an order that llama.cpp cannot follow; give tokenizer.model instead");
    }
    Set<String> made = new HashSet<>();
    model.path("merges").forEach(merge -> made.add(mergedText(merge)));
    for (Map.Entry<String, Integer> entry : ids.entrySet()) {
      checkMade(entry.getKey(), entry.getValue(), made);
    }
  }

  /** The first token whose score is higher than that of one that is merged before it. */
  private Optional<String> outOfOrder() {
    float before = Float.POSITIVE_INFINITY;
    for (JsonNode merge : model.path("merges")) {
      String text = mergedText(merge);
      Integer id = ids.get(text);
      // llama.cpp finds what the user defined before it merges: so do merges that come first.
      if (id != null
          && tokens.type(id) == TokenType.USER_DEFINED
          && before == Float.POSITIVE_INFINITY) {
        continue;
      }
      float score = id == null ? Float.NaN : tokens.scores()[id];
      if (!(score <= before)) {
        return Optional.of(text);
      }
      before = score;
    }
    return Optional.empty();
  }

  /** llama.cpp makes a token of any two that spell it, whether there is such a merge or not. */
  private void checkMade(String text, int id, Set<String> made) throws BadFileException {
    if (tokens.type(id) != TokenType.NORMAL || made.contains(text)) {
      return;
    }
    for (int i = 1; i < text.length(); i++) {
      if (ids.containsKey(text.substring(0, i)) && ids.containsKey(text.substring(i))) {
        throw problem(
            "no merge makes the token "
                + BadFileException.quote(text)
                + ", but llama.cpp would make it of "
                + BadFileException.quote(text.substring(0, i))
                + " and "
                + BadFileException.quote(text.substring(i))
                + "; give tokenizer.model instead");
      }
    }
  }

  private void checkBlanks() throws BadFileException {
    if (TokenizerPipeline.splitsAtBlanks(root)
        && ids.keySet().stream().anyMatch(text -> text.lastIndexOf(BLANK) > 0)) {
      throw problem(
          "splits texts at blanks (Metaspace with split), yet has tokens with blanks inside;"
              + " llama.cpp cannot follow");
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
