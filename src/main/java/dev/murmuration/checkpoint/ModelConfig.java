package dev.murmuration.checkpoint;

import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;

/**
 * The sizes of a Llama model from {@code config.json}, in either dialect: {@code rope_theta} and
 * {@code rope_scaling} at the top level, or in {@code rope_parameters}; {@code torch_dtype} or
 * {@code dtype}.
 *
 * @param hiddenSize length of a hidden state
 * @param feedForwardSize length inside the feed-forward network
 * @param layers number of transformer layers
 * @param heads number of attention heads
 * @param keyValueHeads number of key/value heads, a divisor of {@code heads}
 * @param headSize length of one head's query, key and value
 * @param contextLength tokens the model was trained for
 * @param vocabularySize number of rows of the token embedding
 * @param normEpsilon epsilon of RMSNorm
 * @param ropeBase base of the rotary position encoding
 * @param ropeLinearFactor by which positions are divided, if they are
 * @param storedType the number type that the file names, if it does
 * @param bosTokenId begin of text, if the file names it
 * @param eosTokenId end of text, if the file names it
 * @param padTokenId padding, if the file names it
 * @param classes names of the classes that the model was saved from
 */
public record ModelConfig(
    int hiddenSize,
    int feedForwardSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int contextLength,
    int vocabularySize,
    float normEpsilon,
    float ropeBase,
    OptionalDouble ropeLinearFactor,
    Optional<String> storedType,
    OptionalInt bosTokenId,
    OptionalInt eosTokenId,
    OptionalInt padTokenId,
    List<String> classes) {

  /** Rows of the query projection. */
  long queryRows() {
    return (long) heads * headSize;
  }

  /** Rows of the key and of the value projection. */
  long keyValueRows() {
    return (long) keyValueHeads * headSize;
  }
}
