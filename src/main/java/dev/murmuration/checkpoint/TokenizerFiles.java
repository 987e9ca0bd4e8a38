package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import java.io.IOException;
import java.nio.charset.CharacterCodingException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * The files of a tokenizer: {@code tokenizer.model}, {@code tokenizer.json} or both, or {@code
 * vocab.json} and {@code merges.txt}; and {@code added_tokens.json}, {@code
 * special_tokens_map.json} and {@code tokenizer_config.json} if they exist.
 *
 * <p>Of {@code tokenizer.model} and {@code tokenizer.json} the former has the scores by which
 * llama.cpp merges; the latter is what transformers follows.
 */
final class TokenizerFiles {
  private static final String MODEL = "tokenizer.model";
  private static final String JSON = "tokenizer.json";
  private static final String VOCABULARY = "vocab.json";
  private static final char BLANK = '\u2581';
  private static final int MAX_BYTES = 32 << 20;
  private static final List<String> NAMES = List.of(MODEL, JSON, VOCABULARY);

  private final Path main;
  private final boolean named;
  private final JsonNode config;
  private final JsonNode addedTokens;
  private SpacePrefix ownPrefix;

  TokenizerFiles(Path path) throws IOException {
    this.main = main(path);
    this.named = !Files.isDirectory(path);
    this.config = withSpecialTokens(optional(configFile()), optional(specialTokensFile()));
    this.addedTokens = optional(addedTokensFile());
  }

  /** The files that are looked for, whether they exist or not. */
  static List<Path> inputs(Path path) throws BadFileException {
    Path main = main(path);
    return List.of(
        main.resolveSibling(MODEL),
        main.resolveSibling(JSON),
        main.resolveSibling(VOCABULARY),
        main.resolveSibling("merges.txt"),
        main,
        main.resolveSibling("added_tokens.json"),
        main.resolveSibling("special_tokens_map.json"),
        main.resolveSibling("tokenizer_config.json"));
  }

  /** The file that was named, or the first that was found. */
  Path main() {
    return main;
  }

  /** The file whose vocabulary transformers follows. */
  Path vocabularyFile() {
    return !named && Files.isRegularFile(jsonFile()) ? jsonFile() : main;
  }

  Path jsonFile() {
    return main.resolveSibling(JSON);
  }

  /**
   * Where tokenizer.model would put blanks, if it was read and tokenizer.json says it in its place.
   */
  Optional<SpacePrefix> ownPrefix() {
    return Optional.ofNullable(ownPrefix);
  }

  Path configFile() {
    return main.resolveSibling("tokenizer_config.json");
  }

  private Path specialTokensFile() {
    return main.resolveSibling("special_tokens_map.json");
  }

  /** As transformers 4 does, which saved both files. */
  private static JsonNode withSpecialTokens(JsonNode config, JsonNode special) {
    ObjectNode all = config.deepCopy();
    for (String name : List.of("bos_token", "eos_token", "unk_token", "pad_token")) {
      if (!config.hasNonNull(name) && special.hasNonNull(name)) {
        all.set(name, special.get(name));
      }
    }
    return all;
  }

  /**
   * What is in {@link #configFile}, and the special tokens that only {@code
   * special_tokens_map.json} names; empty if there is neither.
   */
  JsonNode config() {
    return config;
  }

  Path addedTokensFile() {
    return main.resolveSibling("added_tokens.json");
  }

  /** What is in {@link #addedTokensFile}; empty if there is none. */
  JsonNode addedTokens() {
    return addedTokens;
  }

  private static Path main(Path path) throws BadFileException {
    if (!Files.exists(path)) {
      throw new BadFileException(
          path,
          "does not exist; tokenizer(PATH) names a folder with tokenizer.model or"
              + " tokenizer.json, or one of these files");
    }
    return Files.isDirectory(path) ? find(path) : path;
  }

  private static Path find(Path folder) throws BadFileException {
    for (String name : NAMES) {
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

  /** Reads the tokens into a table; what else the files say is the result. */
  TokenizerModel read(TokenTable tokens, Decisions decisions) throws IOException {
    String name = String.valueOf(main.getFileName());
    if (name.equals(VOCABULARY)) {
      return vocabularyAndMerges(tokens, decisions);
    }
    if (name.endsWith(".json")) {
      return json(main, JsonFile.readTokenizer(main), tokens, decisions);
    }
    Path jsonFile = jsonFile();
    if (named || !Files.isRegularFile(jsonFile)) {
      decisions.note("tokenizer", "SentencePiece", "Read from " + name + ".");
      return SentencePieceFile.read(main, tokens);
    }
    JsonNode root = JsonFile.readTokenizer(jsonFile);
    TokenizerPipeline pipeline = TokenizerPipeline.read(jsonFile, root);
    if (pipeline.byteLevel()) {
      return json(jsonFile, root, tokens, decisions);
    }
    return both(root, pipeline, tokens, decisions);
  }

  private static TokenizerModel json(
      Path file, JsonNode root, TokenTable tokens, Decisions decisions) throws BadFileException {
    TokenizerModel read = TokenizerJson.read(file, root, tokens);
    decisions.note(
        "tokenizer",
        read.sentencePiece() ? "SentencePiece" : "byte-level BPE, " + read.pre(),
        "Read from " + file.getFileName() + ".");
    return read;
  }

  /** Tokens from tokenizer.model, and what is done with a text from tokenizer.json. */
  private TokenizerModel both(
      JsonNode root, TokenizerPipeline pipeline, TokenTable tokens, Decisions decisions)
      throws IOException {
    TokenizerModel model = SentencePieceFile.read(main, tokens);
    decisions.note(
        "tokenizer",
        "SentencePiece",
        "Tokens read from tokenizer.model, and what is done with a text from tokenizer.json.");
    for (int id = 0; id < tokens.size(); id++) {
      if (tokens.type(id) == TokenType.USER_DEFINED) {
        // Found whole only if tokenizer.json lists it among those that were added.
        tokens.set(id, tokens.text(id).replace(' ', BLANK), tokens.scores()[id], TokenType.NORMAL);
      }
    }
    TokenizerJson.requireSame(jsonFile(), root, pipeline, main, tokens);
    for (JsonNode added : root.path("added_tokens")) {
      TokenizerJson.addToken(jsonFile(), added, tokens, "", false);
    }
    ownPrefix = model.prefix();
    return model.following(pipeline);
  }

  private TokenizerModel vocabularyAndMerges(TokenTable tokens, Decisions decisions)
      throws IOException {
    String tokenizerClass = config.path("tokenizer_class").asText("");
    if (!tokenizerClass.startsWith("Qwen2Tokenizer")) {
      throw new BadFileException(
          main,
          "does not say how texts are split into words, and tokenizer_config.json's"
              + " tokenizer_class "
              + BadFileException.quote(tokenizerClass)
              + " is not Qwen2Tokenizer; give tokenizer.json instead");
    }
    Path mergesFile = main.resolveSibling("merges.txt");
    if (!Files.isRegularFile(mergesFile)) {
      throw new BadFileException(mergesFile, "is missing; vocab.json needs it");
    }
    ByteLevelTokens vocabulary = new ByteLevelTokens(main, JsonFile.readTokenizer(main), tokens);
    List<String> merges = vocabulary.merges(lines(mergesFile));
    decisions.note("tokenizer", "byte-level BPE, qwen2", "Read from vocab.json and merges.txt.");
    return new TokenizerModel(
        TokenizerModel.BYTE_LEVEL,
        WordPattern.QWEN2,
        merges,
        new SpecialTokens(
            OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty(), OptionalInt.empty()),
        RewardMetadata.NFC,
        SpacePrefix.NONE,
        Optional.empty(),
        Optional.empty());
  }

  private static List<String> lines(Path file) throws IOException {
    if (Files.size(file) > MAX_BYTES) {
      throw new BadFileException(
          file, "has " + Files.size(file) + " bytes, the limit is " + MAX_BYTES);
    }
    try {
      return Files.readAllLines(file);
    } catch (CharacterCodingException e) {
      throw new BadFileException(file, "is not UTF-8", e);
    }
  }
}
