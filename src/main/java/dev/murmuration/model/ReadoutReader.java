package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.model.ReadoutRule.BeforeFirstPad;
import dev.murmuration.model.ReadoutRule.BeforePad;
import dev.murmuration.model.ReadoutRule.LastToken;
import dev.murmuration.model.ReadoutRule.Published;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/** Finds the read-out that a file names, or makes one that a caller names fit the file. */
public final class ReadoutReader {
  private static final String TOKENIZER = "tokenizer.ggml.";
  private static final String PADDING = TOKENIZER + "padding_token_id";

  private final Gguf gguf;
  private final int vocabularySize;
  private final int contextLength;

  /**
   * @param gguf the file, or the header of one to be written
   * @param vocabularySize number of tokens
   * @param contextLength tokens that the model was trained for
   */
  public ReadoutReader(Gguf gguf, int vocabularySize, int contextLength) {
    this.gguf = gguf;
    this.vocabularySize = vocabularySize;
    this.contextLength = contextLength;
  }

  /**
   * The file's own rule.
   *
   * @throws BadFileException if it is not known, or the file does not fit it
   */
  public ReadoutRule own() throws BadFileException {
    String name = gguf.string(RewardMetadata.READOUT).orElse(RewardMetadata.LAST_TOKEN);
    if (!ReadoutRule.NAMES.contains(name)) {
      throw gguf.problem(
          RewardMetadata.READOUT
              + " is "
              + BadFileException.quote(name)
              + "; there are "
              + String.join(", ", ReadoutRule.NAMES));
    }
    OptionalInt pad = tokenId(RewardMetadata.READOUT_PAD);
    if (name.equals(RewardMetadata.PUBLISHED)) {
      Optional<String> unfit = unfitForPublished();
      if (unfit.isPresent()) {
        throw gguf.problem(RewardMetadata.READOUT + " is published, but " + unfit.get());
      }
      return new Published(pad.orElse(unknownToken().orElseThrow()));
    }
    if (!name.equals(RewardMetadata.LAST_TOKEN) && pad.isEmpty()) {
      throw gguf.problem(
          RewardMetadata.READOUT
              + " is "
              + name
              + ", but "
              + RewardMetadata.READOUT_PAD
              + " is"
              + " missing; convert the model again");
    }
    return rule(name, pad);
  }

  /**
   * The rule of this name for a file with another one.
   *
   * @param own the file's
   * @throws IllegalArgumentException if there is none, or the file does not fit it
   */
  public ReadoutRule named(String name, ReadoutRule own) throws BadFileException {
    if (ReadoutRule.requireName(name).equals(own.name())) {
      return own;
    }
    if (name.equals(RewardMetadata.PUBLISHED)) {
      Optional<String> unfit =
          own instanceof LastToken
              ? unfitForPublished()
              : Optional.of("this one's published code reads otherwise (" + own.name() + ")");
      if (unfit.isPresent()) {
        throw new IllegalArgumentException(
            "the read-out published is that of Starling-RM-7B's code, which pads texts with <unk>"
                + " to 2048 tokens: "
                + gguf.path()
                + ": "
                + unfit.get());
      }
      return new Published(unknownToken().orElseThrow());
    }
    OptionalInt pad = tokenId(RewardMetadata.READOUT_PAD);
    pad = pad.isPresent() ? pad : tokenId(PADDING);
    if (!name.equals(RewardMetadata.LAST_TOKEN) && pad.isEmpty()) {
      throw new IllegalArgumentException(
          "the read-out "
              + name
              + " looks for the padding token, and "
              + gguf.path()
              + " names none (metadata keys "
              + RewardMetadata.READOUT_PAD
              + " and "
              + PADDING
              + ")");
    }
    return rule(name, pad);
  }

  private static ReadoutRule rule(String name, OptionalInt pad) {
    return switch (name) {
      case RewardMetadata.LAST_TOKEN -> new LastToken();
      case RewardMetadata.BEFORE_PAD -> new BeforePad(pad.orElseThrow());
      default -> new BeforeFirstPad(pad.orElseThrow());
    };
  }

  /** Why this is no model of Starling-RM-7B's layout; empty if it is one. */
  private Optional<String> unfitForPublished() throws BadFileException {
    String architecture = gguf.string("general.architecture").orElse("");
    if (!architecture.equals("llama")) {
      return Optional.of("this is a model of architecture " + architecture + ", not llama");
    }
    boolean pieces = gguf.string(TOKENIZER + "model").orElse("").equals("llama");
    if (!pieces
        || unknownToken().isEmpty()
        || !gguf.bool(TOKENIZER + "add_bos_token").orElse(true)) {
      return Optional.of(
          "this tokenizer is not Llama 2's, which has <unk> and puts BOS in front of a text");
    }
    String family = gguf.string(RewardMetadata.FAMILY).orElse(RewardMetadata.STARLING);
    if (!family.equals(RewardMetadata.STARLING)) {
      return Optional.of("this model is of the family " + BadFileException.quote(family));
    }
    if (contextLength < Published.LENGTH) {
      return Optional.of(
          "this model was trained for " + contextLength + " tokens, too few for that");
    }
    return Optional.empty();
  }

  private OptionalInt unknownToken() throws BadFileException {
    return tokenId(TOKENIZER + "unknown_token_id");
  }

  private OptionalInt tokenId(String key) throws BadFileException {
    OptionalLong id = gguf.unsignedInt(key);
    if (id.isPresent() && id.getAsLong() >= vocabularySize) {
      throw gguf.problem(
          key + " is " + id.getAsLong() + "; the vocabulary has ids 0 to " + (vocabularySize - 1));
    }
    return id.isPresent() ? OptionalInt.of((int) id.getAsLong()) : OptionalInt.empty();
  }
}
