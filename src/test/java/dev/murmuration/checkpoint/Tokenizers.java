package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.SpacePrefix;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** What a conversion writes about a tokenizer, whatever the weights are. */
public final class Tokenizers {
  private static final ObjectMapper JSON = new ObjectMapper();

  private Tokenizers() {}

  /**
   * The {@code tokenizer.*} and {@code reward_model.*} keys.
   *
   * @param folder a checkpoint's
   * @param tokenizer its folder or file
   */
  public static Map<String, GgufValue> metadata(
      Path folder, Path tokenizer, Optional<SpacePrefix> prefix) throws IOException {
    return metadata(folder, tokenizer, prefix, new Decisions());
  }

  static Map<String, GgufValue> metadata(
      Path folder, Path tokenizer, Optional<SpacePrefix> prefix, Decisions decisions)
      throws IOException {
    GgufWriter out = new GgufWriter();
    Tokenizer.read(tokenizer, config(folder), prefix, decisions).writeTo(out);
    return out.metadata();
  }

  private static ModelConfig config(Path folder) throws IOException {
    return ModelConfigReader.read(folder.resolve("config.json"));
  }
}
