package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.model.SpacePrefix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Reads a tokenizer's files and writes it as metadata of a GGUF, as {@code
 * _create_vocab_sentencepiece} and {@code get_vocab_base} in {@code conversion/base.py} do. {@link
 * TokenizerFiles} says which files these are.
 */
final class Tokenizer {
  private static final String PREFIX = "tokenizer.ggml.";

  /** Larger values of model_max_length stand for the architecture's limit, or for none. */
  private static final int MOST_BELIEVED = 8192;

  private final TokenTable tokens;
  private final TokenizerModel read;
  private final ModelConfig model;
  private final JsonNode config;
  private final Path jsonFile;
  private final boolean addBos;
  private final boolean addEos;

  private Tokenizer(
      TokenTable tokens,
      TokenizerModel read,
      ModelConfig model,
      TokenizerFiles files,
      Decisions decisions)
      throws BadFileException {
    this.tokens = tokens;
    this.read = read;
    this.model = model;
    this.config = files.config();
    this.jsonFile = files.jsonFile();
    this.addBos = adds("BOS", "bos", read.addsBos(), read.sentencePiece(), decisions);
    this.addEos = adds("EOS", "eos", read.addsEos(), false, decisions);
  }

  /**
   * Reads a folder; or one of the two tokenizer files, with the other files in its folder.
   *
   * @param prefix where blanks are put before pieces of a text, in place of what the files say
   */
  static Tokenizer read(
      Path path, ModelConfig model, Optional<SpacePrefix> prefix, Decisions decisions)
      throws IOException {
    TokenizerFiles files = new TokenizerFiles(path);
    TokenTable tokens = new TokenTable(model.vocabularySize());
    TokenizerModel read = files.read(tokens, decisions);
    AddedTokens added = new AddedTokens(files, tokens, read.sentencePiece(), decisions);
    added.add();
    tokens.checkUnique(files.main());
    TokenizerModel chosen = new PrefixChoice(files, decisions).choose(read, prefix);
    added.warn(chosen);
    return new Tokenizer(tokens, chosen, model, files, decisions);
  }

  /** Adds the {@code tokenizer.*} keys in the order of llama.cpp's converter. */
  void writeTo(GgufWriter out) {
    out.metadata(PREFIX + "model", GgufValue.text(read.kind()))
        .metadata(PREFIX + "pre", GgufValue.text(read.pre()))
        .metadata(PREFIX + "tokens", GgufValue.strings(List.of(tokens.texts())));
    if (read.sentencePiece()) {
      out.metadata(PREFIX + "scores", GgufValue.floats(tokens.scores()));
    }
    out.metadata(PREFIX + "token_type", GgufValue.ints(tokens.typeIds()));
    if (!read.sentencePiece()) {
      out.metadata(PREFIX + "merges", GgufValue.strings(read.merges()));
    }
    id(out, "bos", bos());
    id(out, "eos", eos());
    id(out, "unknown", first(named("unk_token"), read.own().unknown()));
    id(out, "padding", first(named("pad_token"), read.own().padding(), model.padTokenId()));
    out.metadata(PREFIX + "add_bos_token", GgufValue.bool(addBos))
        .metadata(PREFIX + "add_sep_token", GgufValue.bool(false))
        .metadata(PREFIX + "add_eos_token", GgufValue.bool(addEos));
    if (read.sentencePiece()) {
      writePrefix(out);
    }
    if (!read.normalizer().isEmpty()) {
      out.metadata(RewardMetadata.NORMALIZER, GgufValue.text(read.normalizer()));
    }
    if (config.path("bos_token").isNull() && bos().isPresent()) {
      out.metadata(RewardMetadata.TEMPLATE_BOS, GgufValue.bool(false));
    }
    if (config.path("chat_template").isTextual()) {
      out.metadata(
          "tokenizer.chat_template", GgufValue.text(config.path("chat_template").textValue()));
    }
  }

  /**
   * The most tokens of a text that the model was trained with, as far as the tokenizer's files say.
   *
   * @param starling whether it is Starling-RM's class, which has a limit of its own
   */
  int maxLength(boolean starling) {
    double length = config.path("model_max_length").asDouble(0);
    return !starling && length >= 2 && length <= MOST_BELIEVED
        ? (int) length
        : RewardMetadata.DEFAULT_MAX_LENGTH;
  }

  /**
   * Writes what the code does with a text that trained the model; nothing where it is what an
   * absent key means.
   *
   * @param starling whether it is Starling-RM's class, which cuts on the left
   * @param mistral whether it is a Mistral, of which RLHFlow's are known
   */
  void writeTrainingTo(GgufWriter out, boolean starling, boolean mistral, Decisions decisions) {
    if (mistral && addBos) {
      out.metadata(RewardMetadata.REMOVE_BOS, GgufValue.bool(true));
      decisions.note(
          "BOS in texts",
          "taken out",
          "As RLHFlow's code does for its Mistral models; the tokenizer puts one in front.");
    }
    String named = config.path("truncation_side").asText("");
    String otherwise = starling ? "left" : "right";
    String side = List.of("left", "right").contains(named) ? named : otherwise;
    if (side.equals("right")) {
      out.metadata(RewardMetadata.TRUNCATION_SIDE, GgufValue.text(side));
    }
    decisions.note("truncation", "on the " + side, "Where a text that is too long is cut.");
  }

  private void writePrefix(GgufWriter out) {
    boolean llamaCpp = read.prefix() == SpacePrefix.EVERY_PIECE;
    if (!llamaCpp || config.path("add_prefix_space").isBoolean()) {
      out.metadata(PREFIX + "add_space_prefix", GgufValue.bool(llamaCpp));
    }
    if (read.prefix().ours()) {
      out.metadata(RewardMetadata.SPACE_PREFIX, GgufValue.text(read.prefix().label()));
    }
  }

  private OptionalInt bos() {
    return first(named("bos_token"), read.own().bos(), model.bosTokenId());
  }

  private OptionalInt eos() {
    return first(named("eos_token"), read.own().eos(), model.eosTokenId());
  }

  private static void id(GgufWriter out, String name, OptionalInt id) {
    if (id.isPresent()) {
      out.metadata(PREFIX + name + "_token_id", GgufValue.uint32(id.getAsInt()));
    }
  }

  /** The first id that is present and has a row in the embedding. */
  private OptionalInt first(OptionalInt... answers) {
    for (OptionalInt id : answers) {
      if (id.isPresent() && id.getAsInt() < tokens.size()) {
        return id;
      }
    }
    return OptionalInt.empty();
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

  /**
   * Whether the tokenizer adds a token to a text: what {@code tokenizer_config.json} says, or else
   * the post-processor of {@code tokenizer.json}, or else what transformers does with this kind.
   */
  private boolean adds(
      String label,
      String name,
      Optional<Boolean> postProcessor,
      boolean otherwise,
      Decisions decisions)
      throws BadFileException {
    JsonNode flag = config.path("add_" + name + "_token");
    boolean adds = flag.isBoolean() ? flag.booleanValue() : postProcessor.orElse(otherwise);
    OptionalInt id = name.equals("bos") ? bos() : eos();
    OptionalInt own = name.equals("bos") ? read.own().bos() : read.own().eos();
    // Told that there is none, transformers adds none, whatever config.json says.
    boolean none = config.path(name + "_token").isNull() && !postProcessor.orElse(false);
    if (adds && (none || id.isEmpty())) {
      decisions.warn(
          label,
          "not added",
          "The tokenizer adds it to texts, but its files do not say which token it is.");
      return false;
    }
    if (adds && postProcessor.orElse(false) && own.isPresent() && !own.equals(id)) {
      throw new BadFileException(
          jsonFile,
          "adds "
              + BadFileException.quote(tokens.text(own.getAsInt()))
              + " to texts, but tokenizer_config.json's "
              + name
              + "_token is "
              + BadFileException.quote(tokens.text(id.getAsInt()))
              + "; which of them the model was trained with cannot be known");
    }
    if (flag.isBoolean() && postProcessor.isPresent() && postProcessor.get() != adds) {
      decisions.warn(
          label,
          adds ? "added" : "not added",
          "tokenizer_config.json says so and tokenizer.json the opposite; transformers' versions"
              + " differ in which they follow.");
    } else if (id.isPresent()) {
      decisions.note(
          label,
          BadFileException.quote(tokens.text(id.getAsInt())) + (adds ? ", added" : ", not added"));
    }
    return adds;
  }
}
