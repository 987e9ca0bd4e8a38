package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.model.SpacePrefix;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Puts into a table what the files beside a vocabulary add to it: {@code added_tokens.json} and the
 * {@code added_tokens_decoder} of {@code tokenizer_config.json}.
 */
final class AddedTokens {
  private static final String SUBJECT = "added tokens";
  private static final int MOST_NAMED = 4;

  private final TokenizerFiles files;
  private final TokenTable tokens;
  private final boolean sentencePiece;
  private final Decisions decisions;

  AddedTokens(TokenizerFiles files, TokenTable tokens, boolean sentencePiece, Decisions decisions) {
    this.files = files;
    this.tokens = tokens;
    this.sentencePiece = sentencePiece;
    this.decisions = decisions;
  }

  /**
   * Adds them.
   *
   * @throws BadFileException if one has no id or asks for what llama.cpp does not do, or if {@code
   *     tokenizer.json} has another token in its place
   */
  void add() throws BadFileException {
    for (Map.Entry<String, JsonNode> entry : files.addedTokens().properties()) {
      Path file = files.addedTokensFile();
      int id = checkedId(file, entry.getValue().asInt(-1), entry.getKey());
      // It says less of a token than the vocabulary's own file.
      if (!tokens.has(id) || !isThere(file, id, entry.getKey())) {
        set(id, entry.getKey(), TokenType.USER_DEFINED);
      }
    }
    for (Map.Entry<String, JsonNode> entry :
        files.config().path("added_tokens_decoder").properties()) {
      decode(files.configFile(), entry.getKey(), entry.getValue());
    }
    if (files.config().path("split_special_tokens").asBoolean()) {
      decisions.warn(
          SUBJECT,
          "found as marks",
          "tokenizer_config.json says split_special_tokens, with which some versions of"
              + " transformers read marks such as those of the template as plain text.");
    }
  }

  private void decode(Path file, String key, JsonNode token) throws BadFileException {
    String text = token.path("content").asText("");
    int id = checkedId(file, key.matches("\\d{1,9}") ? Integer.parseInt(key) : -1, text);
    if (id >= tokens.size()) {
      return;
    }
    TokenizerJson.requirePlain(file, token);
    boolean _ = isThere(file, id, text);
    boolean control = token.path("special").asBoolean() || looksSpecial(text);
    set(
        id,
        control || !sentencePiece ? text : text.replace('\u2581', ' '),
        control ? TokenType.CONTROL : TokenType.USER_DEFINED);
    tokens.setNormalized(id, token.path("normalized").asBoolean());
  }

  private static int checkedId(Path file, int id, String text) throws BadFileException {
    if (id < 0) {
      throw new BadFileException(
          file, "the added token " + BadFileException.quote(text) + " has no id");
    }
    return id;
  }

  private void set(int id, String text, TokenType type) {
    if (id < tokens.size()) {
      tokens.set(id, text, TokenTable.ADDED_SCORE, type);
    }
  }

  /** Whether the table has this token already; tells or refuses where it has another one. */
  private boolean isThere(Path file, int id, String text) throws BadFileException {
    String other = tokens.text(id);
    if (!tokens.has(id) || blanks(other).equals(blanks(text))) {
      return tokens.has(id);
    }
    String both =
        file.getFileName()
            + " calls it "
            + BadFileException.quote(text)
            + ", "
            + files.vocabularyFile().getFileName()
            + " "
            + BadFileException.quote(other);
    if (files.vocabularyFile().toString().endsWith(".json")) {
      throw new BadFileException(
          file,
          "and the vocabulary contradict each other about the token "
              + id
              + ": "
              + both
              + "; take both files from the same model");
    }
    decisions.warn(SUBJECT, "token " + id + " replaced", both + ".");
    return false;
  }

  private static String blanks(String text) {
    return text.replace('\u2581', ' ');
  }

  /** {@code does_token_look_special} in {@code conversion/base.py}. */
  private static boolean looksSpecial(String text) {
    return List.of("<pad>", "<mask>", "<2mass>", "[@BOS@]").contains(text)
        || (text.startsWith("<|") && text.endsWith("|>"))
        || (text.startsWith("<\uff5c") && text.endsWith("\uff5c>"))
        || (text.startsWith("<unused") && text.endsWith(">"));
  }

  /**
   * A normalizer that puts a blank before texts puts it before such tokens, too, and finds them
   * only behind a blank.
   */
  void warnOfNormalized(SpacePrefix prefix) {
    List<String> all = tokens.normalized();
    if (sentencePiece && prefix != SpacePrefix.NONE && !all.isEmpty()) {
      String names =
          all.stream()
              .limit(MOST_NAMED)
              .map(BadFileException::quote)
              .collect(Collectors.joining(", ", "", all.size() > MOST_NAMED ? ", \u2026" : ""));
      decisions.warn(
          SUBJECT,
          "found wherever they stand",
          "Of "
              + names
              + " the files say that they are looked for in the normalized text (normalized true):"
              + " transformers' fast tokenizer finds those only behind a blank, which it takes"
              + " away. The tokens of a text that holds one differ.");
    }
  }
}
