package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
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
    OptionalInt padTokenId) {

  /**
   * Reads and checks a {@code config.json}.
   *
   * @throws BadFileException if it is missing, or its model is of another architecture or has a
   *     feature that llama.cpp's {@code llama} architecture does not compute
   * @throws IOException if reading fails
   */
  public static ModelConfig read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file, "is missing; download config.json of the model and put it beside the checkpoint");
    }
    return new ModelConfigReader(file, JsonFile.read(file)).read();
  }

  /** Rows of the query projection. */
  long queryRows() {
    return (long) heads * headSize;
  }

  /** Rows of the key and of the value projection. */
  long keyValueRows() {
    return (long) keyValueHeads * headSize;
  }

  /** A token id at the top level of a config; the first one where there is a list of them. */
  static OptionalInt tokenId(JsonNode config, String key) {
    JsonNode id = config.path(key);
    JsonNode first = id.isArray() ? id.path(0) : id;
    return first.isInt() && first.intValue() >= 0
        ? OptionalInt.of(first.intValue())
        : OptionalInt.empty();
  }
}
