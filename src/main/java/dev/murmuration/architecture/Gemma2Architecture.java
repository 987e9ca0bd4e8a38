package dev.murmuration.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.MetadataRule;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Gemma 2: norms before and after attention and feed-forward network, whose weights are kept
 * without the one that is added to them; dot products bent to a limit; a window on every other
 * layer, from the first ({@code src/models/gemma2.cpp}, {@code conversion/gemma.py}).
 */
final class Gemma2Architecture extends Architecture {
  private static final String SOFT_CAP = "attn_logit_softcapping";
  private static final String FINAL_SOFT_CAP = "final_logit_softcapping";
  private static final float LEAST_CAP = 1e-3f;
  private static final float MOST_CAP = 1e6f;

  /** Of llama.cpp and of transformers' {@code Gemma2Config}. */
  private static final float DEFAULT_SOFT_CAP = 50;

  private static final int DEFAULT_WINDOW = 4096;
  private static final int DEFAULT_HEAD_SIZE = 256;
  private static final int DEFAULT_ATTENTION_SCALAR = 256;

  /**
   * The number of layers by which llama.cpp tells Gemma 2 27B, which scales in a way of its own.
   */
  private static final int LAYERS_OF_27B = 46;

  Gemma2Architecture() {
    super(
        "gemma2",
        "gemma2",
        Set.of("Gemma2ForCausalLM", "Gemma2Model", "Gemma2ForSequenceClassification"));
    MetadataRule cap = new MetadataRule.Float32(LEAST_CAP, MOST_CAP);
    allow(SOFT_CAP, cap);
    allow(FINAL_SOFT_CAP, cap);
    allow(Size.WINDOW.key(), Size.WINDOW.rule());
    allow("attention.sliding_window_pattern", new MetadataRule.Uint32(2, 2));
  }

  @Override
  public ModelShape shape(Gguf gguf, int vocabularySize) throws BadFileException {
    return super.shape(gguf, vocabularySize)
        .windowed(
            (int) gguf.unsignedInt(key(Size.WINDOW.key())).orElse(DEFAULT_WINDOW),
            gguf.float32(key(SOFT_CAP)).orElse(DEFAULT_SOFT_CAP));
  }

  @Override
  List<BodyTensor> otherTensors(ModelShape shape) {
    return List.of(); // The token embedding is the language-model head as well.
  }

  @Override
  BodyTensor outputNorm(long hidden) {
    return super.outputNorm(hidden).plusOne();
  }

  @Override
  List<BodyTensor> layer(ModelShape shape) {
    long hidden = shape.hiddenSize();
    List<BodyTensor> matrices =
        super.layer(shape).stream().filter(tensor -> !tensor.isVector()).toList();
    List<BodyTensor> tensors = new ArrayList<>(matrices);
    tensors.add(BodyTensor.norm("input_layernorm", "attn_norm", hidden).plusOne());
    tensors.add(
        BodyTensor.norm("post_attention_layernorm", "post_attention_norm", hidden).plusOne());
    tensors.add(BodyTensor.norm("pre_feedforward_layernorm", "ffn_norm", hidden).plusOne());
    tensors.add(BodyTensor.norm("post_feedforward_layernorm", "post_ffw_norm", hidden).plusOne());
    for (String biased : List.of("attn_q", "attn_k", "attn_v")) {
      long rows = biased.equals("attn_q") ? shape.queryRows() : shape.keyValueRows();
      tensors.add(BodyTensor.inGguf(biased + ".bias", rows));
    }
    return tensors;
  }

  @Override
  int headSize(ConfigJson config, int hiddenSize, int heads) throws BadFileException {
    return config.size(Size.HEAD, DEFAULT_HEAD_SIZE);
  }

  @Override
  void checkFeatures(ConfigJson config) throws BadFileException {
    super.checkFeatures(config);
    if (config.get("use_bidirectional_attention").asBoolean()) {
      throw config.problem("use_bidirectional_attention is set, which is not supported");
    }
  }

  @Override
  void checkActivation(ConfigJson config) throws BadFileException {
    // transformers reads this key alone, though published files have hidden_act, too.
    requireActivation(config, "hidden_activation", "gelu_pytorch_tanh");
  }

  @Override
  ModelShape completed(ConfigJson config, ModelShape shape) throws BadFileException {
    checkScale(config, shape);
    checkLayerTypes(config, shape);
    if (config.get(SOFT_CAP).isNull()) {
      throw config.problem(
          SOFT_CAP + " is null; attention without soft-capping is not supported for gemma2");
    }
    if (config.get(Size.WINDOW.configKey()).isNull()) {
      throw config.problem("sliding_window is null, which is not supported for gemma2");
    }
    return shape.windowed(
        config.size(Size.WINDOW, DEFAULT_WINDOW), (float) cap(config, SOFT_CAP, DEFAULT_SOFT_CAP));
  }

  private static double cap(ConfigJson config, String key, double otherwise)
      throws BadFileException {
    return config.has(key) ? config.number(key, LEAST_CAP, MOST_CAP) : otherwise;
  }

  /** llama.cpp does not read what dot products are divided by, but derives it. */
  private static void checkScale(ConfigJson config, ModelShape shape) throws BadFileException {
    double scalar = config.number("query_pre_attn_scalar").orElse(DEFAULT_ATTENTION_SCALAR);
    int computed =
        shape.layers() == LAYERS_OF_27B ? shape.hiddenSize() / shape.heads() : shape.headSize();
    if (scalar != computed) {
      throw config.problem(
          "query_pre_attn_scalar is "
              + scalar
              + "; llama.cpp computes with "
              + computed
              + " for gemma2 of this size");
    }
  }

  private static void checkLayerTypes(ConfigJson config, ModelShape shape) throws BadFileException {
    JsonNode types = config.get("layer_types");
    boolean alternate = !types.isArray() || types.size() == shape.layers();
    for (int i = 0; alternate && i < types.size(); i++) {
      alternate =
          types.path(i).asText().equals(i % 2 == 0 ? "sliding_attention" : "full_attention");
    }
    if (!alternate) {
      throw config.problem(
          "layer_types do not alternate between sliding_attention and full_attention from the"
              + " first layer on; no other order is supported for gemma2");
    }
  }

  @Override
  public Map<String, GgufValue> ownMetadata(ModelShape shape, ConfigJson config)
      throws BadFileException {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    values.put(key(SOFT_CAP), GgufValue.float32(shape.softCap()));
    if (config.has(FINAL_SOFT_CAP)) {
      values.put(key(FINAL_SOFT_CAP), GgufValue.float32((float) cap(config, FINAL_SOFT_CAP, 0)));
    }
    put(values, Size.WINDOW.key(), shape.slidingWindow());
    return values;
  }
}
