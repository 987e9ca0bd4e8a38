package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.architecture.Architecture;
import dev.murmuration.architecture.Architectures;
import dev.murmuration.architecture.ConfigJson;
import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;
import java.util.OptionalInt;

/** Reads {@code config.json}, and refuses what its architecture does not compute here. */
final class ModelConfigReader {
  private ModelConfigReader() {}

  /**
   * Reads and checks a {@code config.json}.
   *
   * @throws BadFileException if it is missing, or its model is of an architecture or has a feature
   *     that is not supported
   * @throws IOException if reading fails
   */
  static ModelConfig read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file, "is missing; download config.json of the model and put it beside the checkpoint");
    }
    return read(file, JsonFile.read(file));
  }

  static ModelConfig read(Path file, JsonNode json) throws BadFileException {
    ConfigJson config = new ConfigJson(file, json);
    Architecture architecture = Architectures.of(config);
    ModelShape shape = architecture.shape(config);
    OptionalInt window = architecture.window(config, shape);
    return new ModelConfig(
        architecture,
        shape.upTo(window.orElse(Integer.MAX_VALUE)),
        architecture.rope(config),
        shape.contextLength(),
        window,
        architecture.ownMetadata(shape, config),
        storedType(json),
        tokenId(json, "bos_token_id"),
        tokenId(json, "eos_token_id"),
        tokenId(json, "pad_token_id"),
        json.path("architectures").valueStream().map(JsonNode::asText).toList());
  }

  private static Optional<String> storedType(JsonNode json) {
    String name = json.path(json.hasNonNull("dtype") ? "dtype" : "torch_dtype").asText("");
    return name.isEmpty() ? Optional.empty() : Optional.of(name);
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
