package dev.murmuration.architecture;

import dev.murmuration.architecture.RopeScaling.Kind;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.MetadataRule;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.Set;

/**
 * A kind of transformer: pre-norm layers of rotary attention and a gated feed-forward network, as
 * Llama has them, and what a subclass changes. Immutable.
 *
 * <p>For a GGUF it says which metadata and tensors llama.cpp loads and computes with without ending
 * the process ({@code load_hparams}, {@code load_arch_hparams}, {@code load_arch_tensors} and the
 * graph in {@code src/models}); for a checkpoint, what its {@code config.json} means and how its
 * tensors become those of the GGUF ({@code conversion/}).
 */
public abstract class Architecture {
  private static final MetadataRule ZERO = new MetadataRule.Uint32(0, 0);
  private static final MetadataRule FACTOR = new MetadataRule.Float32(1e-3f, 1e4f);
  private static final MetadataRule EPSILON = new MetadataRule.Float32(1e-12f, 0.1f);
  private static final MetadataRule ROPE_BASE = new MetadataRule.Float32(2f, 1e12f);

  private final String name;
  private final String modelType;
  private final Set<String> classes;
  private final Map<String, MetadataRule> rules = new LinkedHashMap<>();

  /**
   * An architecture.
   *
   * @param name {@code general.architecture} in a GGUF
   * @param modelType {@code model_type} in {@code config.json}
   * @param classes model classes of such a body; they decide where a file has no model_type
   */
  Architecture(String name, String modelType, Set<String> classes) {
    this.name = name;
    this.modelType = modelType;
    this.classes = classes;
    for (Size size :
        List.of(Size.CONTEXT, Size.HIDDEN, Size.LAYERS, Size.FEED_FORWARD, Size.VOCABULARY)) {
      allow(size.key(), size.rule());
    }
    allow(Size.HEADS.key(), Size.HEADS.rule());
    allow(Size.KEY_VALUE_HEADS.key(), Size.KEY_VALUE_HEADS.rule());
    allow(Size.HEAD.key(), Size.HEAD.atLeast(2));
    allow(GgufShape.VALUE_LENGTH, Size.HEAD.atLeast(2));
    allow(GgufShape.ROTATED_LENGTH, Size.HEAD.atLeast(2));
    allow(GgufShape.NORM_EPSILON, EPSILON);
    allow("attention.layer_norm_epsilon", EPSILON);
    allow(GgufShape.ROPE_BASE, ROPE_BASE);
    allowRopeScaling();
    // Written by early converters of llama.cpp; nothing reads it.
    allow("tensor_data_layout", new MetadataRule.AnyOfType(GgufValueType.STRING));
    // A reward needs the hidden states of a causal model without experts or pooling.
    allow("attention.causal", new MetadataRule.True());
    allow(Size.WINDOW.key(), ZERO);
    for (String without :
        List.of(
            "pooling_type",
            "expert_count",
            "expert_used_count",
            "expert_group_count",
            "expert_group_used_count",
            "nextn_predict_layers")) {
      allow(without, ZERO);
    }
  }

  private void allowRopeScaling() {
    allow("rope.scale_linear", FACTOR);
    allow("rope.scaling.type", new MetadataRule.OneOf(Set.of("none", "linear", "yarn")));
    allow("rope.scaling.factor", FACTOR);
    allow("rope.scaling.attn_factor", FACTOR);
    allow("rope.scaling.original_context_length", Size.CONTEXT.rule());
    allow("rope.scaling.finetuned", new MetadataRule.AnyOfType(GgufValueType.BOOL));
    allow("rope.scaling.yarn_ext_factor", new MetadataRule.Float32(0f, 1e4f));
    allow("rope.scaling.yarn_attn_factor", FACTOR);
    allow("rope.scaling.yarn_beta_fast", FACTOR);
    allow("rope.scaling.yarn_beta_slow", FACTOR);
  }

  /** Allows a metadata key, without the architecture's name, or changes what it may hold. */
  final void allow(String key, MetadataRule rule) {
    rules.put(key(key), rule);
  }

  final String key(String suffix) {
    return name + "." + suffix;
  }

  /** {@return its name in a GGUF} */
  public final String name() {
    return name;
  }

  /** {@return its name in {@code config.json}} */
  public final String modelType() {
    return modelType;
  }

  /** {@return model classes of such a body} */
  public final Set<String> classes() {
    return classes;
  }

  // ---- what a GGUF holds ----

  /** All metadata keys that begin with the architecture's name and a dot; unmodifiable. */
  public final Map<String, MetadataRule> metadataRules() {
    return Collections.unmodifiableMap(rules);
  }

  /** The metadata keys that have to be there. */
  public final List<String> requiredMetadata() {
    return List.of(
        key(Size.CONTEXT.key()),
        key(Size.HIDDEN.key()),
        key(Size.LAYERS.key()),
        key(Size.FEED_FORWARD.key()),
        key(Size.HEADS.key()),
        key(GgufShape.NORM_EPSILON));
  }

  /**
   * The sizes of a GGUF whose keys obey the rules; checks that they fit together.
   *
   * @param vocabularySize tokens in its vocabulary
   */
  public ModelShape shape(Gguf gguf, int vocabularySize) throws BadFileException {
    return new GgufShape(name, gguf).read(vocabularySize);
  }

  // ---- tensors ----

  /**
   * All tensors that a model of this shape may have, those of a checkpoint in the order in which
   * llama.cpp's converter writes them.
   */
  public final List<BodyTensor> tensors(ModelShape shape) {
    long hidden = shape.hiddenSize();
    List<BodyTensor> tensors = new ArrayList<>(otherTensors(shape));
    // A linear value head in the place that llama.cpp has for classifiers.
    tensors.add(BodyTensor.inGguf("cls.output.weight", 1, hidden));
    tensors.add(BodyTensor.inGguf("cls.output.bias", 1));
    tensors.add(BodyTensor.matrix("embed_tokens", "token_embd", shape.vocabularySize(), hidden));
    List<BodyTensor> layer = new ArrayList<>(layer(shape));
    layer.sort(Comparator.comparing(BodyTensor::name));
    for (int i = 0; i < shape.layers(); i++) {
      for (BodyTensor tensor : layer) {
        tensors.add(tensor.in(i));
      }
    }
    tensors.add(outputNorm(hidden));
    return tensors;
  }

  BodyTensor outputNorm(long hidden) {
    return BodyTensor.norm("norm", "output_norm", hidden);
  }

  /** What a GGUF may hold outside the layers, without a counterpart in the checkpoint. */
  List<BodyTensor> otherTensors(ModelShape shape) {
    return List.of(BodyTensor.inGguf("output.weight", shape.vocabularySize(), shape.hiddenSize()));
  }

  /** The tensors of a layer, with names inside it. */
  List<BodyTensor> layer(ModelShape shape) {
    long hidden = shape.hiddenSize();
    long inner = shape.feedForwardSize();
    long queries = shape.queryRows();
    long keys = shape.keyValueRows();
    return List.of(
        BodyTensor.norm("input_layernorm", "attn_norm", hidden),
        BodyTensor.matrix("self_attn.q_proj", "attn_q", queries, hidden),
        BodyTensor.matrix("self_attn.k_proj", "attn_k", keys, hidden),
        BodyTensor.matrix("self_attn.v_proj", "attn_v", keys, hidden),
        BodyTensor.matrix("self_attn.o_proj", "attn_output", hidden, queries),
        BodyTensor.norm("post_attention_layernorm", "ffn_norm", hidden),
        BodyTensor.matrix("mlp.gate_proj", "ffn_gate", inner, hidden),
        BodyTensor.matrix("mlp.up_proj", "ffn_up", inner, hidden),
        BodyTensor.matrix("mlp.down_proj", "ffn_down", hidden, inner));
  }

  // ---- config.json ----

  /**
   * The sizes that a checkpoint's configuration states, without its weights.
   *
   * @throws BadFileException if it is not complete, or has a feature that is not computed here
   */
  public final ModelShape shape(ConfigJson config) throws BadFileException {
    checkFeatures(config);
    int hiddenSize = config.size(Size.HIDDEN);
    int heads = config.size(Size.HEADS);
    int keyValueHeads = keyValueHeads(config, heads);
    if (heads % keyValueHeads != 0) {
      throw config.problem(
          "num_key_value_heads is " + keyValueHeads + ", which does not divide " + heads);
    }
    int headSize = headSize(config, hiddenSize, heads);
    if (headSize % 2 != 0) {
      throw config.problem(
          "hidden_size " + hiddenSize + " and " + heads + " heads give no even head_dim");
    }
    ModelShape shape =
        new ModelShape(
            name,
            hiddenSize,
            config.size(Size.LAYERS),
            heads,
            keyValueHeads,
            headSize,
            config.size(Size.FEED_FORWARD),
            config.size(Size.VOCABULARY),
            config.size(Size.CONTEXT),
            (float) config.number("rms_norm_eps").orElseThrow(() -> config.missing("rms_norm_eps")),
            (float) ropeBase(config),
            0,
            0,
            false,
            0,
            0);
    return completed(config, shape);
  }

  /** A shape with what only this architecture has. */
  ModelShape completed(ConfigJson config, ModelShape shape) throws BadFileException {
    return shape;
  }

  /** {@return the number of key/value heads; as many as heads only where that is said by null} */
  int keyValueHeads(ConfigJson config, int heads) throws BadFileException {
    return config.get(Size.KEY_VALUE_HEADS.configKey()).isNull()
        ? heads
        : config.size(Size.KEY_VALUE_HEADS);
  }

  /** {@return the length of a head: that which is stated, or the quotient; 1 where it is broken} */
  int headSize(ConfigJson config, int hiddenSize, int heads) throws BadFileException {
    return config.size(Size.HEAD, hiddenSize % heads == 0 ? hiddenSize / heads : 1);
  }

  /** Refuses what is not computed here. */
  void checkFeatures(ConfigJson config) throws BadFileException {
    checkActivation(config);
    for (String bias : List.of("attention_bias", "mlp_bias")) {
      if (config.get(bias).asBoolean()) {
        throw config.problem(bias + " is set; layers with biases are not supported");
      }
    }
    if (config.get("quantization_config").isObject()) {
      throw config.problem(
          "quantization_config is set: the weights are quantized already; convert the original"
              + " float16 checkpoint");
    }
    double rotated = config.number("partial_rotary_factor").orElse(1);
    if (rotated != 1 || config.number(config.rope(), "partial_rotary_factor").orElse(1) != 1) {
      throw config.problem("partial_rotary_factor is set, which is not supported");
    }
  }

  void checkActivation(ConfigJson config) throws BadFileException {
    requireActivation(config, "hidden_act", "silu");
  }

  static void requireActivation(ConfigJson config, String key, String only)
      throws BadFileException {
    if (!config.get(key).asText(only).equals(only)) {
      throw config.problem(
          key + " is " + config.quoted(key) + ", only \"" + only + "\" is supported");
    }
  }

  private static double ropeBase(ConfigJson config) throws BadFileException {
    double base =
        config
            .number(config.rope(), "rope_theta")
            .orElse(config.number("rope_theta").orElse(GgufShape.DEFAULT_ROPE_BASE));
    if (!(base >= 2 && base <= 1e12)) {
      throw config.problem("rope_theta is " + base + ", expected 2 to 1e12");
    }
    return base;
  }

  /** How positions are stretched. */
  public final RopeScaling rope(ConfigJson config) throws BadFileException {
    return RopeScaling.of(config, ropeKinds());
  }

  Set<Kind> ropeKinds() {
    return Set.of(Kind.NONE, Kind.LINEAR, Kind.DYNAMIC);
  }

  /**
   * The tokens that a layer sees at most, where that is not computed here: texts that are no longer
   * get the same reward.
   */
  public OptionalInt window(ConfigJson config, ModelShape shape) throws BadFileException {
    return OptionalInt.empty();
  }

  // ---- what a conversion writes ----

  /** The metadata of every architecture, in the order of {@code conversion/base.py}. */
  public final Map<String, GgufValue> metadata(ModelShape shape, RopeScaling rope) {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    put(values, Size.LAYERS.key(), shape.layers());
    put(values, Size.CONTEXT.key(), shape.contextLength());
    put(values, Size.HIDDEN.key(), shape.hiddenSize());
    put(values, Size.FEED_FORWARD.key(), shape.feedForwardSize());
    put(values, Size.HEADS.key(), shape.heads());
    put(values, Size.KEY_VALUE_HEADS.key(), shape.keyValueHeads());
    if (rope.kind() == Kind.LINEAR) {
      values.put(key("rope.scaling.type"), GgufValue.text("linear"));
      values.put(key("rope.scaling.factor"), GgufValue.float32((float) rope.factor()));
    }
    values.put(key(GgufShape.ROPE_BASE), GgufValue.float32(shape.ropeBase()));
    values.put(key(GgufShape.NORM_EPSILON), GgufValue.float32(shape.normEpsilon()));
    put(values, Size.HEAD.key(), shape.headSize());
    put(values, GgufShape.VALUE_LENGTH, shape.headSize());
    return values;
  }

  /** What only this architecture's converter writes, behind the file's type. */
  public Map<String, GgufValue> ownMetadata(ModelShape shape, ConfigJson config)
      throws BadFileException {
    Map<String, GgufValue> values = new LinkedHashMap<>();
    put(values, Size.VOCABULARY.key(), shape.vocabularySize());
    put(values, GgufShape.ROTATED_LENGTH, shape.headSize());
    return values;
  }

  /**
   * Tensors that follow from the configuration, all F32 vectors: names in the GGUF, and numbers.
   */
  public Map<String, float[]> computedTensors(ModelShape shape, RopeScaling rope) {
    return Map.of();
  }

  final void put(Map<String, GgufValue> values, String suffix, int value) {
    values.put(key(suffix), GgufValue.uint32(value));
  }
}
