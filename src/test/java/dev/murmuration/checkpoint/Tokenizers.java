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

  /** The same for a folder with a tokenizer alone. */
  public static Map<String, GgufValue> metadata(Path tokenizer, int vocabularySize)
      throws IOException {
    GgufWriter out = new GgufWriter();
    ObjectNode sizes = JSON.createObjectNode().put("vocab_size", vocabularySize);
    Tokenizer.read(tokenizer, config(tokenizer, sizes), Optional.empty(), new Decisions())
        .writeTo(out);
    return out.metadata();
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

  private static ModelConfig config(Path folder, ObjectNode sizes) throws IOException {
    ObjectNode config =
        sizes
            .put("model_type", "llama")
            .put("hidden_size", 64)
            .put("num_attention_heads", 4)
            .put("intermediate_size", 128)
            .put("num_hidden_layers", 2)
            .put("max_position_embeddings", 4096)
            .put("rms_norm_eps", 1e-5);
    return ModelConfigReader.read(folder.resolve("config.json"), config);
  }
}
