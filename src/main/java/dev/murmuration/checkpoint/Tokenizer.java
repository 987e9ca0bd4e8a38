package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;

/**
 * Reads a tokenizer's folder and writes it as metadata of a GGUF, as {@code
 * _create_vocab_sentencepiece} in {@code conversion/base.py} does. It reads {@code
 * tokenizer.model}, or else {@code tokenizer.json}, and {@code added_tokens.json} and {@code
 * tokenizer_config.json} if they exist.
 */
final class Tokenizer {
  private static final String PREFIX = "tokenizer.ggml.";

  private final TokenTable tokens;
  private final SpecialTokens own;
  private final ModelConfig model;
  private final JsonNode config;

  private Tokenizer(TokenTable tokens, SpecialTokens own, ModelConfig model, JsonNode config) {
    this.tokens = tokens;
    this.own = own;
    this.model = model;
    this.config = config;
  }

  /** Reads a folder; or one of the two tokenizer files, with the other files in its folder. */
  static Tokenizer read(Path path, ModelConfig model, Decisions decisions) throws IOException {
    Path file = file(path);
    decisions.note("tokenizer", "SentencePiece", "Read from " + file.getFileName() + ".");
    TokenTable tokens = new TokenTable(model.vocabularySize());
    SpecialTokens own =
        String.valueOf(file.getFileName()).endsWith(".json")
            ? TokenizerJson.read(file, tokens)
            : SentencePieceFile.read(file, tokens);
    Path addedFile = file.resolveSibling("added_tokens.json");
    for (Map.Entry<String, JsonNode> entry : optional(addedFile).properties()) {
      int id = entry.getValue().asInt(-1);
      add(addedFile, tokens, id, entry.getKey(), TokenType.USER_DEFINED);
    }
    Path configFile = file.resolveSibling("tokenizer_config.json");
    JsonNode config = optional(configFile);
    for (Map.Entry<String, JsonNode> entry : config.path("added_tokens_decoder").properties()) {
      decode(configFile, tokens, entry.getKey(), entry.getValue());
    }
    tokens.checkUnique(file);
    return new Tokenizer(tokens, own, model, config);
  }

  /** The files that {@link #read} looks for, whether they exist or not. */
  static List<Path> inputs(Path path) throws BadFileException {
    Path file = file(path);
    return List.of(
        file,
        file.resolveSibling("added_tokens.json"),
        file.resolveSibling("tokenizer_config.json"));
  }

  private static Path file(Path path) throws BadFileException {
    if (!Files.exists(path)) {
      throw new BadFileException(
          path,
          "does not exist; tokenizer(PATH) names a folder with tokenizer.model or"
              + " tokenizer.json, or one of these files");
    }
    return Files.isDirectory(path) ? find(path) : path;
  }

  private static Path find(Path folder) throws BadFileException {
    for (String name : List.of("tokenizer.model", "tokenizer.json")) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    throw new BadFileException(
        folder,
        "has neither tokenizer.model nor tokenizer.json. Starling-RM's checkpoint comes without;"
            + " its tokenizer is that of Llama-2-7b-chat-hf: download tokenizer.model and name its"
            + " folder with tokenizer(DIR)");
  }

  private static JsonNode optional(Path file) throws IOException {
    return Files.isRegularFile(file) ? JsonFile.read(file) : JsonNodeFactory.instance.objectNode();
  }

  private static void decode(Path file, TokenTable tokens, String id, JsonNode token)
      throws BadFileException {
    String text = token.path("content").asText("");
    boolean control = token.path("special").asBoolean() || looksSpecial(text);
    add(
        file,
        tokens,
        id.matches("\\d{1,9}") ? Integer.parseInt(id) : -1,
        control ? text : text.replace('\u2581', ' '),
        control ? TokenType.CONTROL : TokenType.USER_DEFINED);
  }

  /** {@code does_token_look_special} in {@code conversion/base.py}. */
  private static boolean looksSpecial(String text) {
    return (text.startsWith("<|") && text.endsWith("|>"))
        || (text.startsWith("<\uff5c") && text.endsWith("\uff5c>"));
  }

  private static void add(Path file, TokenTable tokens, int id, String text, TokenType type)
      throws BadFileException {
    if (id < 0) {
      throw new BadFileException(
          file, "the added token " + BadFileException.quote(text) + " has no id");
    }
    if (id < tokens.size()) {
      tokens.set(id, text, TokenTable.ADDED_SCORE, type);
    }
  }

  /** Adds the {@code tokenizer.*} keys in the order of llama.cpp's converter. */
  void writeTo(GgufWriter out) {
    out.metadata(PREFIX + "model", GgufValue.text("llama"))
        .metadata(PREFIX + "pre", GgufValue.text("default"))
        .metadata(PREFIX + "tokens", GgufValue.strings(List.of(tokens.texts())))
        .metadata(PREFIX + "scores", GgufValue.floats(tokens.scores()))
        .metadata(PREFIX + "token_type", GgufValue.ints(tokens.typeIds()));
    id(out, "bos", named("bos_token"), own.bos(), model.bosTokenId());
    id(out, "eos", named("eos_token"), own.eos(), model.eosTokenId());
    id(out, "unknown", named("unk_token"), own.unknown(), OptionalInt.empty());
    id(out, "padding", named("pad_token"), own.padding(), model.padTokenId());
    out.metadata(PREFIX + "add_bos_token", flag("add_bos_token", true))
        .metadata(PREFIX + "add_sep_token", GgufValue.bool(false))
        .metadata(PREFIX + "add_eos_token", flag("add_eos_token", false));
    if (config.path("add_prefix_space").isBoolean()) {
      out.metadata(PREFIX + "add_space_prefix", flag("add_prefix_space", true));
    }
    if (config.path("chat_template").isTextual()) {
      out.metadata(
          "tokenizer.chat_template", GgufValue.text(config.path("chat_template").textValue()));
    }
  }

  /**
   * Writes the first id that is present and has a row in the embedding; nothing if there is none.
   */
  private void id(GgufWriter out, String name, OptionalInt... answers) {
    for (OptionalInt id : answers) {
      if (id.isPresent() && id.getAsInt() < tokens.size()) {
        out.metadata(PREFIX + name + "_token_id", GgufValue.uint32(id.getAsInt()));
        return;
      }
    }
  }

  /**
   * The id of a token that {@code tokenizer_config.json} names, by a text or by an object that
   * holds one.
   */
  private OptionalInt named(String key) {
    JsonNode token = config.path(key);
    String text = token.isObject() ? token.path("content").asText("") : token.asText("");
    return token.isNull() || text.isEmpty() ? OptionalInt.empty() : tokens.find(text);
  }

  private GgufValue flag(String key, boolean otherwise) {
    return GgufValue.bool(config.path(key).asBoolean(otherwise));
  }
}
