package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Puts into a table what the files beside a vocabulary add to it: {@code added_tokens.json} and the
 * {@code added_tokens_decoder} of {@code tokenizer_config.json}.
 */
final class AddedTokens {
  private static final String SUBJECT = "added tokens";
  private static final int MOST_NAMED = 4;
  private static final int MOST_COMPARED = 1 << 14;
  private static final int LONGEST = 64;

  /** Characters before it are the same in NFC, whatever follows. */
  private static final int FIRST_COMPOSED = 0x80;

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

  /** Names tokens that transformers' fast tokenizers find elsewhere than llama.cpp does. */
  void warn(TokenizerModel read) {
    if (sentencePiece && read.prefix() != SpacePrefix.NONE) {
      warn(
          tokens.normalized(),
          "they are looked for in the normalized text (normalized true): transformers' fast"
              + " tokenizer finds those only behind a blank, which it takes away");
    }
    if (read.normalizer().equals(RewardMetadata.NFC)) {
      warn(
          special()
              .filter(id -> tokens.type(id) == TokenType.USER_DEFINED && !tokens.isNormalized(id))
              .mapToObj(tokens::text)
              .filter(text -> text.chars().anyMatch(c -> c >= FIRST_COMPOSED))
              .toList(),
          "they are looked for in the text before it is in NFC (normalized false): transformers'"
              + " fast tokenizer does not find those that NFC makes");
    }
    warn(
        overlapping(),
        "each can begin inside another one: transformers' fast tokenizer takes the first, llama.cpp"
            + " the longest");
  }

  private void warn(List<String> texts, String problem) {
    if (!texts.isEmpty()) {
      String names =
          texts.stream()
              .limit(MOST_NAMED)
              .map(BadFileException::quote)
              .collect(Collectors.joining(", ", "", texts.size() > MOST_NAMED ? ", \u2026" : ""));
      decisions.warn(
          SUBJECT,
          "found wherever they stand",
          "Of " + names + ": " + problem + ". The tokens of a text that holds such a one differ.");
    }
  }

  private IntStream special() {
    return IntStream.range(0, tokens.size())
        .filter(
            id ->
                tokens.type(id) == TokenType.CONTROL || tokens.type(id) == TokenType.USER_DEFINED);
  }

  /** Tokens that begin with the end of one that is not longer; runs of one character do no harm. */
  private List<String> overlapping() {
    List<String> texts =
        special()
            .mapToObj(tokens::text)
            .filter(text -> text.length() <= LONGEST && text.chars().distinct().count() > 1)
            .limit(MOST_COMPARED)
            .toList();
    Map<String, String> longest = new HashMap<>();
    for (String text : texts) {
      for (int end = 1; end < text.length(); end++) {
        longest.merge(text.substring(0, end), text, (a, b) -> a.length() >= b.length() ? a : b);
      }
    }
    Set<String> found = new LinkedHashSet<>();
    for (String text : texts) {
      for (int start = 1; start < text.length(); start++) {
        String other = longest.get(text.substring(start));
        if (other != null && other.length() >= text.length()) {
          found.add(other);
        }
      }
    }
    return List.copyOf(found);
  }
}
