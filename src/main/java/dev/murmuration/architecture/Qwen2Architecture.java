package dev.murmuration.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValue;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/** Qwen 2 and 2.5: queries, keys and values have biases ({@code src/models/qwen2.cpp}). */
class Qwen2Architecture extends Architecture {
  /** Of transformers' {@code Qwen2Config} and {@code Qwen3Config}. */
  private static final int DEFAULT_WINDOW = 4096;

  private static final int DEFAULT_WINDOW_LAYERS = 28;

  Qwen2Architecture() {
    this(
        "qwen2",
        Set.of(
            "Qwen2ForCausalLM",
            "Qwen2Model",
            "Qwen2ForSequenceClassification",
            "Qwen2ForRewardModel",
            "Qwen2ForProcessRewardModel"));
  }

  Qwen2Architecture(String name, Set<String> classes) {
    super(name, name, classes);
  }

  @Override
  public ModelShape shape(Gguf gguf, int vocabularySize) throws BadFileException {
    ModelShape shape = super.shape(gguf, vocabularySize);
    if (!hasOwnHeadSize() && shape.queryRows() != shape.hiddenSize()) {
      throw gguf.problem(
          key(Size.HEAD.key())
              + " is "
              + shape.headSize()
              + ", expected "
              + key(Size.HIDDEN.key())
              + " "
              + shape.hiddenSize()
              + " divided by "
              + shape.heads()
              + " heads");
    }
    return shape;
  }

  /** Whether the heads need not be the hidden size together. */
  boolean hasOwnHeadSize() {
    return false;
  }

  @Override
  int headSize(ConfigJson config, int hiddenSize, int heads) throws BadFileException {
    int headSize = super.headSize(config, hiddenSize, heads);
    if (!hasOwnHeadSize() && (long) headSize * heads != hiddenSize) {
      throw config.problem(
          "hidden_size "
              + hiddenSize
              + " and "
              + heads
              + " heads do not give head_dim "
              + headSize
              + ", as this architecture needs");
    }
    return headSize;
  }

  @Override
  List<BodyTensor> otherTensors(ModelShape shape) {
    List<BodyTensor> tensors = new ArrayList<>(super.otherTensors(shape));
    tensors.add(BodyTensor.inGguf("output.bias", shape.vocabularySize()));
    return tensors;
  }

  @Override
  List<BodyTensor> layer(ModelShape shape) {
    List<BodyTensor> tensors = new ArrayList<>(super.layer(shape));
    tensors.add(BodyTensor.bias("self_attn.q_proj", "attn_q", shape.queryRows()).maybe());
    tensors.add(BodyTensor.bias("self_attn.k_proj", "attn_k", shape.keyValueRows()).maybe());
    tensors.add(BodyTensor.bias("self_attn.v_proj", "attn_v", shape.keyValueRows()).maybe());
    return tensors;
  }

  @Override
  public OptionalInt window(ConfigJson config, ModelShape shape) throws BadFileException {
    JsonNode types = config.get("layer_types");
    boolean some =
        types.isArray()
            ? types.valueStream().anyMatch(type -> type.asText().equals("sliding_attention"))
            : config.get("max_window_layers").asInt(DEFAULT_WINDOW_LAYERS) < shape.layers();
    return some
            && config.get("use_sliding_window").asBoolean()
            && !config.get(Size.WINDOW.configKey()).isNull()
        ? OptionalInt.of(config.size(Size.WINDOW, DEFAULT_WINDOW))
        : OptionalInt.empty();
  }

  @Override
  public Map<String, GgufValue> ownMetadata(ModelShape shape, ConfigJson config) {
    return Map.of();
  }
}
