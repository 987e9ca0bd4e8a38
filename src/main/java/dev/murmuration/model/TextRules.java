package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * What a file says about the way from a text to tokens, beyond the vocabulary itself.
 *
 * @param bos the token that begins a text, if there is one
 * @param eos the token that ends a text, if there is one
 * @param addBos whether the tokenizer puts {@code bos} before a text; then there is one
 * @param addEos whether the tokenizer puts {@code eos} behind a text; then there is one
 * @param removeBos whether the text of {@code bos} is taken out of a text before it is tokenized
 * @param normalizer how pieces of a text are normalized before they are tokenized, one of {@link
 *     RewardMetadata}'s values, or empty
 * @param prefix where blanks are put before pieces of a text
 * @param userDefined special tokens that are no marks: they are found in what users write, too
 * @param cutLeft whether a text that is too long loses tokens on the left, behind {@code bos}, or
 *     on the right
 */
public record TextRules(
    OptionalInt bos,
    OptionalInt eos,
    boolean addBos,
    boolean addEos,
    boolean removeBos,
    String normalizer,
    SpacePrefix prefix,
    Set<Integer> userDefined,
    boolean cutLeft) {
  private static final String PREFIX = "tokenizer.ggml.";

  /**
   * Reads the rules of a file whose vocabulary is checked. Where a key is absent, the answer is
   * llama.cpp's.
   */
  public static TextRules of(Gguf gguf) throws BadFileException {
    boolean sentencePiece = gguf.string(PREFIX + "model").orElse("").equals("llama");
    OptionalInt bos = id(gguf, "bos_token_id", sentencePiece, 1);
    OptionalInt eos = id(gguf, "eos_token_id", sentencePiece, 2);
    boolean llama3 = ByteLevelVocabulary.LLAMA3.contains(gguf.string(PREFIX + "pre").orElse(""));
    boolean addBos = gguf.bool(PREFIX + "add_bos_token").orElse(sentencePiece || llama3);
    boolean addEos = gguf.bool(PREFIX + "add_eos_token").orElse(false);
    require(gguf, addBos, bos, "bos");
    require(gguf, addEos, eos, "eos");
    return new TextRules(
        bos,
        eos,
        addBos,
        addEos,
        addBos && gguf.bool(RewardMetadata.REMOVE_BOS).orElse(false),
        choice(gguf, RewardMetadata.NORMALIZER, RewardMetadata.NFC, RewardMetadata.EXTRA_BLANKS)
            .orElse(""),
        prefix(gguf, sentencePiece),
        userDefined(gguf),
        choice(gguf, RewardMetadata.TRUNCATION_SIDE, "left", "right")
            .orElse("left")
            .equals("left"));
  }

  private static OptionalInt id(Gguf gguf, String name, boolean defaults, int otherwise)
      throws BadFileException {
    var id = gguf.unsignedInt(PREFIX + name);
    if (id.isPresent()) {
      return OptionalInt.of((int) id.getAsLong());
    }
    return defaults ? OptionalInt.of(otherwise) : OptionalInt.empty();
  }

  private static void require(Gguf gguf, boolean added, OptionalInt id, String name)
      throws BadFileException {
    if (added && id.isEmpty()) {
      throw gguf.problem(
          PREFIX
              + "add_"
              + name
              + "_token is true, but "
              + PREFIX
              + name
              + "_token_id is missing; convert the model again, with its tokenizer");
    }
  }

  private static Optional<String> choice(Gguf gguf, String key, String first, String second)
      throws BadFileException {
    Optional<String> value = gguf.string(key);
    if (value.isPresent() && !value.get().equals(first) && !value.get().equals(second)) {
      throw gguf.problem(
          key
              + " is "
              + BadFileException.quote(value.get())
              + ", supported is "
              + first
              + " or "
              + second);
    }
    return value;
  }

  private static Set<Integer> userDefined(Gguf gguf) throws BadFileException {
    int[] types = gguf.ints(TokenArrays.TYPES).orElseThrow();
    return IntStream.range(0, types.length)
        .filter(id -> types[id] == TokenArrays.TYPE_USER_DEFINED)
        .boxed()
        .collect(Collectors.toUnmodifiableSet());
  }

  private static SpacePrefix prefix(Gguf gguf, boolean sentencePiece) throws BadFileException {
    var label = gguf.string(RewardMetadata.SPACE_PREFIX);
    boolean llamaCpp = sentencePiece && gguf.bool(PREFIX + "add_space_prefix").orElse(true);
    if (label.isEmpty()) {
      return llamaCpp ? SpacePrefix.EVERY_PIECE : SpacePrefix.NONE;
    }
    SpacePrefix prefix =
        SpacePrefix.ofLabel(label.get())
            .orElseThrow(
                () ->
                    gguf.problem(
                        RewardMetadata.SPACE_PREFIX
                            + " is "
                            + BadFileException.quote(label.get())
                            + ", supported is sentencepiece, always or first"));
    if (llamaCpp || !sentencePiece) {
      throw gguf.problem(
          RewardMetadata.SPACE_PREFIX
              + " is set, which goes with tokenizer.ggml.model \"llama\" and"
              + " tokenizer.ggml.add_space_prefix false");
    }
    return prefix;
  }
}
