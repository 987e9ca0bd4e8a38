package dev.murmuration.checkpoint;

import dev.murmuration.model.SpacePrefix;
import java.util.List;
import java.util.Optional;

/**
 * What a tokenizer file says besides its tokens, in the terms of a GGUF.
 *
 * @param kind the value of {@code tokenizer.ggml.model}
 * @param pre how a text is split into words, the value of {@code tokenizer.ggml.pre}
 * @param merges pairs of tokens with a blank between, by rank; empty for SentencePiece
 * @param own ids of special tokens that the file itself names
 * @param normalizer a value of {@code reward_model.normalizer}, or empty
 * @param prefix where blanks are put before pieces of a text
 * @param addsBos whether it puts BOS before a text, if it says so
 * @param addsEos whether it puts EOS behind a text, if it says so
 */
record TokenizerModel(
    String kind,
    String pre,
    List<String> merges,
    SpecialTokens own,
    String normalizer,
    SpacePrefix prefix,
    Optional<Boolean> addsBos,
    Optional<Boolean> addsEos) {
  static final String SENTENCE_PIECE = "llama";
  static final String BYTE_LEVEL = "gpt2";

  boolean sentencePiece() {
    return kind.equals(SENTENCE_PIECE);
  }

  /** The same with what another file says about the way to tokens. */
  TokenizerModel following(TokenizerPipeline pipeline) {
    return new TokenizerModel(
        kind,
        pre,
        merges,
        own,
        pipeline.normalizer(),
        pipeline.prefix(),
        pipeline.addsBos(),
        pipeline.addsEos());
  }

  TokenizerModel prefix(SpacePrefix value) {
    return new TokenizerModel(kind, pre, merges, own, normalizer, value, addsBos, addsEos);
  }
}
