package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.model.SpacePrefix;
import java.util.Optional;

/**
 * Decides where blanks are put before pieces of a text, which the files of one tokenizer often say
 * in two ways and the versions of transformers read in two ways.
 */
final class PrefixChoice {
  private static final String SUBJECT = "blanks";

  private final TokenizerFiles files;
  private final Decisions decisions;

  PrefixChoice(TokenizerFiles files, Decisions decisions) {
    this.files = files;
    this.decisions = decisions;
  }

  TokenizerModel choose(TokenizerModel read, Optional<SpacePrefix> asked) throws BadFileException {
    if (!read.sentencePiece()) {
      if (asked.isPresent() && asked.get() != SpacePrefix.NONE) {
        throw new BadFileException(
            files.main(),
            "is byte-level, which puts no blanks before texts; spacePrefix("
                + asked.get()
                + ") is for SentencePiece");
      }
      if (files.config().path("add_prefix_space").asBoolean()) {
        decisions.warn(
            SUBJECT,
            SpacePrefix.NONE.description(),
            "tokenizer.json's way. tokenizer_config.json says add_prefix_space, with which some"
                + " versions of transformers put one there.");
      }
      return read;
    }
    if (asked.isPresent()) {
      decisions.note(SUBJECT, asked.get().description(), "As spacePrefix(..) says.");
      return read.prefix(asked.get());
    }
    JsonNode flag = files.config().path("add_prefix_space");
    SpacePrefix prefix =
        flag.isBoolean() && !flag.booleanValue() ? SpacePrefix.NONE : read.prefix();
    Optional<SpacePrefix> own = files.ownPrefix();
    if (own.isPresent() && differ(own.get(), prefix)) {
      decisions.warn(
          SUBJECT,
          prefix.description(),
          "tokenizer.json says so; tokenizer.model says: "
              + own.get().description()
              + ". Programs follow one or the other, with other rewards for nearly every text."
              + " Choose the other with spacePrefix("
              + own.get()
              + "), or name tokenizer.model with tokenizer(FILE).");
    } else if (legacy(prefix)) {
      decisions.warn(
          SUBJECT,
          prefix.description(),
          "It is what transformers 4's fast tokenizer does. tokenizer_config.json says legacy"
              + " false, with which transformers 5 puts a blank before the text alone: in the text"
              + " \"</s>Hi\" the word behind the mark has a blank here and none there. If the model"
              + " was trained that way, choose spacePrefix(FIRST).");
    } else {
      decisions.note(SUBJECT, prefix.description());
    }
    return read.prefix(prefix);
  }

  private boolean legacy(SpacePrefix prefix) {
    JsonNode legacy = files.config().path("legacy");
    // Of other classes transformers follows tokenizer.json to the letter.
    boolean rebuilt =
        !files.config().path("tokenizer_class").asText("Llama").equals("PreTrainedTokenizerFast");
    return legacy.isBoolean()
        && !legacy.booleanValue()
        && rebuilt
        && (prefix == SpacePrefix.EVERY_PIECE || prefix == SpacePrefix.SENTENCEPIECE);
  }

  /** SentencePiece's own way differs only for what the user defined, which tokenizer.json lists. */
  private static boolean differ(SpacePrefix own, SpacePrefix prefix) {
    SpacePrefix like = own == SpacePrefix.SENTENCEPIECE ? SpacePrefix.EVERY_PIECE : own;
    return like != prefix;
  }
}
