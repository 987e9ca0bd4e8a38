package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/** Reads {@code config.json}, and refuses what the {@code llama} architecture does not compute. */
final class ModelConfigReader {
  private static final int MAX_HIDDEN_SIZE = 1 << 16;
  private static final int MAX_FEED_FORWARD_SIZE = 1 << 18;
  private static final int MAX_LAYERS = 512;
  private static final int MAX_HEADS = 1 << 10;
  private static final int MAX_CONTEXT_LENGTH = 1 << 20;
  private static final int MAX_VOCABULARY = 1 << 20;
  private static final double DEFAULT_ROPE_BASE = 10_000;

  /** Model classes with a Llama body; they decide where a file has no model_type. */
  private static final Set<String> CLASSES =
      Set.of(
          "LlamaForCausalLM",
          "LlamaModel",
          "LlamaForSequenceClassification",
          "LLMForSequenceRegression",
          "GPTRewardModel");

  private static final Set<String> PLAIN_ROPE = Set.of("", "default", "none");

  private final Path file;
  private final JsonNode json;

  ModelConfigReader(Path file, JsonNode json) {
    this.file = file;
    this.json = json;
  }

  /**
   * Reads and checks a {@code config.json}.
   *
   * @throws BadFileException if it is missing, or its model is of another architecture or has a
   *     feature that llama.cpp's {@code llama} architecture does not compute
   * @throws IOException if reading fails
   */
  static ModelConfig read(Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file, "is missing; download config.json of the model and put it beside the checkpoint");
    }
    return new ModelConfigReader(file, JsonFile.read(file)).read();
  }

  ModelConfig read() throws BadFileException {
    checkArchitecture();
    checkFeatures();
    int hiddenSize = size("hidden_size", MAX_HIDDEN_SIZE);
    int heads = size("num_attention_heads", MAX_HEADS);
    int keyValueHeads = optionalSize("num_key_value_heads", heads, MAX_HEADS);
    if (heads % keyValueHeads != 0) {
      throw problem("num_key_value_heads is " + keyValueHeads + ", which does not divide " + heads);
    }
    return new ModelConfig(
        hiddenSize,
        size("intermediate_size", MAX_FEED_FORWARD_SIZE),
        size("num_hidden_layers", MAX_LAYERS),
        heads,
        keyValueHeads,
        headSize(hiddenSize, heads),
        size("max_position_embeddings", MAX_CONTEXT_LENGTH),
        size("vocab_size", MAX_VOCABULARY),
        (float) number(json, "rms_norm_eps").orElseThrow(() -> missing("rms_norm_eps")),
        (float) ropeBase(),
        ropeLinearFactor(),
        storedType(),
        tokenId(json, "bos_token_id"),
        tokenId(json, "eos_token_id"),
        tokenId(json, "pad_token_id"),
        json.path("architectures").valueStream().map(JsonNode::asText).toList());
  }

  private void checkArchitecture() throws BadFileException {
    JsonNode type = json.path("model_type");
    boolean llama =
        type.isTextual()
            ? type.textValue().equals("llama")
            : json.path("architectures").valueStream().anyMatch(c -> CLASSES.contains(c.asText()));
    if (!llama) {
      throw problem(
          "model_type is "
              + BadFileException.quote(type.asText())
              + " and architectures "
              + BadFileException.quote(json.path("architectures").toString())
              + "; only Llama models are supported");
    }
  }

  private void checkFeatures() throws BadFileException {
    if (!json.path("hidden_act").asText("silu").equals("silu")) {
      throw problem("hidden_act is " + quoted("hidden_act") + ", only \"silu\" is supported");
    }
    for (String bias : List.of("attention_bias", "mlp_bias")) {
      if (json.path(bias).asBoolean()) {
        throw problem(bias + " is set; layers with biases are not supported");
      }
    }
    if (json.path("quantization_config").isObject()) {
      throw problem(
          "quantization_config is set: the weights are quantized already; convert the original"
              + " float16 checkpoint");
    }
    double rotated = number(json, "partial_rotary_factor").orElse(1);
    if (rotated != 1 || number(rope(), "partial_rotary_factor").orElse(1) != 1) {
      throw problem("partial_rotary_factor is set, which is not supported");
    }
  }

  private int headSize(int hiddenSize, int heads) throws BadFileException {
    int headSize = optionalSize("head_dim", hiddenSize / heads, MAX_HEADS);
    if (headSize % 2 != 0 || (!json.hasNonNull("head_dim") && hiddenSize % heads != 0)) {
      throw problem("hidden_size " + hiddenSize + " and " + heads + " heads give no even head_dim");
    }
    return headSize;
  }

  /** The newer dialect's object, else the older one's; both may be absent or null. */
  private JsonNode rope() {
    return json.path(json.hasNonNull("rope_parameters") ? "rope_parameters" : "rope_scaling");
  }

  private double ropeBase() throws BadFileException {
    OptionalDouble inner = number(rope(), "rope_theta");
    double base =
        inner.isPresent()
            ? inner.getAsDouble()
            : number(json, "rope_theta").orElse(DEFAULT_ROPE_BASE);
    if (!(base >= 2 && base <= 1e12)) {
      throw problem("rope_theta is " + base + ", expected 2 to 1e12");
    }
    return base;
  }

  private OptionalDouble ropeLinearFactor() throws BadFileException {
    JsonNode rope = rope();
    String type = rope.path("rope_type").asText(rope.path("type").asText(""));
    if (PLAIN_ROPE.contains(type)) {
      boolean nested = rope.valueStream().anyMatch(JsonNode::isContainerNode);
      if (nested) {
        throw problem("rope_parameters differ from layer to layer, which is not supported");
      }
      return OptionalDouble.empty();
    }
    if (!type.equals("linear")) {
      throw problem(
          "rope_type is "
              + BadFileException.quote(type)
              + ", only \"default\" and \"linear\" are supported");
    }
    double factor = number(rope, "factor").orElseThrow(() -> missing("factor of rope_scaling"));
    if (!(factor >= 1e-3 && factor <= 1e4)) {
      throw problem("the factor of rope_scaling is " + factor + ", expected 0.001 to 10000");
    }
    return OptionalDouble.of(factor);
  }

  private Optional<String> storedType() {
    String name = json.path(json.hasNonNull("dtype") ? "dtype" : "torch_dtype").asText("");
    return name.isEmpty() ? Optional.empty() : Optional.of(name);
  }

  private int size(String key, int limit) throws BadFileException {
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      throw missing(key);
    }
    if (!value.isInt() || value.intValue() < 1 || value.intValue() > limit) {
      throw problem(key + " is " + quoted(key) + ", expected a number from 1 to " + limit);
    }
    return value.intValue();
  }

  private int optionalSize(String key, int otherwise, int limit) throws BadFileException {
    return json.hasNonNull(key) ? size(key, limit) : otherwise;
  }

  private OptionalDouble number(JsonNode parent, String key) throws BadFileException {
    JsonNode value = parent.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw problem(key + " is " + BadFileException.quote(value.toString()) + ", not a number");
    }
    return OptionalDouble.of(value.doubleValue());
  }

  private String quoted(String key) {
    return BadFileException.quote(json.path(key).toString());
  }

  private BadFileException missing(String key) {
    return problem(key + " is missing; this is not the config.json of a Llama model");
  }

  private BadFileException problem(String text) {
    return new BadFileException(file, text);
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
