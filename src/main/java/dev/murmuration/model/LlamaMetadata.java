package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufValueType;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks the metadata of architecture {@code llama} against a list of known keys and allowed
 * values. With others an assertion could fail in {@code llama_model_base::load_hparams} of {@code
 * src/llama-model.cpp} or in the computation, and end the process.
 */
final class LlamaMetadata {
  static final int MAX_HIDDEN_SIZE = 1 << 16;
  static final int MAX_FEED_FORWARD_SIZE = 1 << 18;
  static final int MAX_HEADS = 1 << 10;
  static final int MAX_HEAD_SIZE = 1 << 10;
  static final int MAX_CONTEXT_LENGTH = 1 << 20;

  /** LLAMA_MAX_LAYERS in src/llama-hparams.h; with more an assertion fails. */
  static final int MAX_LAYERS = 512;

  private static final int MAX_KEYS = 4096;
  private static final float DEFAULT_ROPE_BASE = 10_000f;
  private static final MetadataRule ZERO = new MetadataRule.Uint32(0, 0);
  private static final MetadataRule FACTOR = new MetadataRule.Float32(1e-3f, 1e4f);

  private static final List<String> REQUIRED =
      List.of(
          "llama.context_length",
          "llama.embedding_length",
          "llama.block_count",
          "llama.feed_forward_length",
          "llama.attention.head_count",
          "llama.attention.layer_norm_rms_epsilon");

  private static final Map<String, MetadataRule> RULES = new LinkedHashMap<>();

  static {
    RULES.put("llama.context_length", new MetadataRule.Uint32(1, MAX_CONTEXT_LENGTH));
    RULES.put("llama.embedding_length", new MetadataRule.Uint32(1, MAX_HIDDEN_SIZE));
    RULES.put("llama.block_count", new MetadataRule.Uint32(1, MAX_LAYERS));
    RULES.put("llama.feed_forward_length", new MetadataRule.Uint32(1, MAX_FEED_FORWARD_SIZE));
    RULES.put("llama.vocab_size", new MetadataRule.Uint32(1, LlamaVocabulary.MAX_TOKENS));
    RULES.put("llama.attention.head_count", new MetadataRule.Uint32(1, MAX_HEADS));
    RULES.put("llama.attention.head_count_kv", new MetadataRule.Uint32(1, MAX_HEADS));
    RULES.put("llama.attention.key_length", new MetadataRule.Uint32(2, MAX_HEAD_SIZE));
    RULES.put("llama.attention.value_length", new MetadataRule.Uint32(2, MAX_HEAD_SIZE));
    RULES.put("llama.attention.layer_norm_rms_epsilon", new MetadataRule.Float32(1e-12f, 0.1f));
    RULES.put("llama.attention.layer_norm_epsilon", new MetadataRule.Float32(1e-12f, 0.1f));
    RULES.put("llama.rope.dimension_count", new MetadataRule.Uint32(2, MAX_HEAD_SIZE));
    RULES.put("llama.rope.freq_base", new MetadataRule.Float32(2f, 1e12f));
    RULES.put("llama.rope.scale_linear", FACTOR);
    RULES.put("llama.rope.scaling.type", new MetadataRule.OneOf(Set.of("none", "linear", "yarn")));
    RULES.put("llama.rope.scaling.factor", FACTOR);
    RULES.put("llama.rope.scaling.attn_factor", FACTOR);
    RULES.put(
        "llama.rope.scaling.original_context_length",
        new MetadataRule.Uint32(1, MAX_CONTEXT_LENGTH));
    RULES.put("llama.rope.scaling.finetuned", new MetadataRule.AnyOfType(GgufValueType.BOOL));
    RULES.put("llama.rope.scaling.yarn_ext_factor", new MetadataRule.Float32(0f, 1e4f));
    RULES.put("llama.rope.scaling.yarn_attn_factor", FACTOR);
    RULES.put("llama.rope.scaling.yarn_beta_fast", FACTOR);
    RULES.put("llama.rope.scaling.yarn_beta_slow", FACTOR);
    // Written by early converters of llama.cpp; nothing reads it.
    RULES.put("llama.tensor_data_layout", new MetadataRule.AnyOfType(GgufValueType.STRING));
    // A reward needs the hidden states of a causal model without experts or pooling.
    RULES.put("llama.attention.causal", new MetadataRule.True());
    RULES.put("llama.attention.sliding_window", ZERO);
    RULES.put("llama.pooling_type", ZERO);
    RULES.put("llama.expert_count", ZERO);
    RULES.put("llama.expert_used_count", ZERO);
    RULES.put("llama.expert_group_count", ZERO);
    RULES.put("llama.expert_group_used_count", ZERO);
    RULES.put("llama.nextn_predict_layers", ZERO);
    // llama.cpp reads these of the general keys; others may have any value.
    RULES.put("general.name", new MetadataRule.AnyOfType(GgufValueType.STRING));
    RULES.put("general.file_type", new MetadataRule.AnyOfType(GgufValueType.UINT32));
    RULES.put("general.quantization_version", new MetadataRule.AnyOfType(GgufValueType.UINT32));
  }

  private LlamaMetadata() {}

  static void check(Gguf gguf) throws BadFileException {
    checkArchitecture(gguf);
    if (gguf.metadata().size() > MAX_KEYS) {
      throw gguf.problem(
          "the file has " + gguf.metadata().size() + " metadata keys, the limit is " + MAX_KEYS);
    }
    for (String key : REQUIRED) {
      if (!gguf.metadata().containsKey(key)) {
        throw gguf.problem(
            "the metadata key "
                + key
                + " is missing; convert the model again with llama.cpp's converter");
      }
    }
    for (String key : gguf.metadata().keySet()) {
      checkKey(gguf, key);
    }
  }

  private static void checkArchitecture(Gguf gguf) throws BadFileException {
    String architecture =
        gguf.string("general.architecture")
            .orElseThrow(
                () ->
                    gguf.problem(
                        "the metadata key general.architecture is missing; this is not a model"));
    if (!architecture.equals("llama")) {
      throw gguf.problem(
          "general.architecture is "
              + BadFileException.quote(architecture)
              + ", only \"llama\" is supported");
    }
  }

  private static void checkKey(Gguf gguf, String key) throws BadFileException {
    MetadataRule rule = RULES.get(key);
    if (rule != null) {
      rule.check(gguf, key);
    } else if (key.startsWith("llama.")) {
      throw gguf.problem(
          "the metadata key "
              + BadFileException.quote(key)
              + " is unknown; this variant of the architecture is not supported");
    } else if (key.startsWith("split.")) {
      throw gguf.problem(
          key
              + " is set: this is one part of a split model; join the parts with llama-gguf-split"
              + " --merge");
    }
  }

  /**
   * The model's sizes. {@link #check} has checked each of them; this checks that they fit together.
   */
  static LlamaHyperparameters sizes(Gguf gguf, int vocabularySize) throws BadFileException {
    int hiddenSize = required(gguf, "llama.embedding_length");
    int heads = required(gguf, "llama.attention.head_count");
    int keyValueHeads = optional(gguf, "llama.attention.head_count_kv", heads);
    if (heads % keyValueHeads != 0) {
      throw gguf.problem(
          "llama.attention.head_count_kv is "
              + keyValueHeads
              + ", which does not divide llama.attention.head_count "
              + heads);
    }
    int vocabSize = optional(gguf, "llama.vocab_size", vocabularySize);
    if (vocabSize != vocabularySize) {
      throw gguf.problem(
          "llama.vocab_size is "
              + vocabSize
              + ", but tokenizer.ggml.tokens has "
              + vocabularySize
              + " tokens");
    }
    return new LlamaHyperparameters(
        hiddenSize,
        required(gguf, "llama.block_count"),
        heads,
        keyValueHeads,
        headSize(gguf, hiddenSize, heads),
        required(gguf, "llama.feed_forward_length"),
        vocabularySize,
        required(gguf, "llama.context_length"),
        gguf.float32("llama.attention.layer_norm_rms_epsilon").orElseThrow(),
        gguf.float32("llama.rope.freq_base").orElse(DEFAULT_ROPE_BASE),
        gguf.tensor("output.weight").isPresent(),
        gguf.tensors().stream().mapToLong(GgufTensor::elements).sum(),
        gguf.tensors().stream().mapToLong(GgufTensor::byteSize).sum());
  }

  /**
   * The length of a head, which must be even and the same for keys, values and the rotated part.
   */
  private static int headSize(Gguf gguf, int hiddenSize, int heads) throws BadFileException {
    int quotient = hiddenSize / heads;
    int headSize = optional(gguf, "llama.attention.key_length", quotient);
    requireEqual(gguf, "llama.attention.value_length", quotient, headSize);
    requireEqual(gguf, "llama.rope.dimension_count", headSize, headSize);
    boolean explicit = gguf.metadata().containsKey("llama.attention.key_length");
    if (headSize < 2 || headSize % 2 != 0 || (!explicit && hiddenSize % heads != 0)) {
      throw gguf.problem(
          "llama.embedding_length "
              + hiddenSize
              + " and llama.attention.head_count "
              + heads
              + " give heads of size "
              + headSize
              + ", expected an even whole number");
    }
    return headSize;
  }

  private static void requireEqual(Gguf gguf, String key, int defaultValue, int expected)
      throws BadFileException {
    int value = optional(gguf, key, defaultValue);
    if (value != expected) {
      throw gguf.problem(key + " is " + value + ", expected the size of a head, " + expected);
    }
  }

  private static int required(Gguf gguf, String key) throws BadFileException {
    return (int) gguf.unsignedInt(key).orElseThrow();
  }

  private static int optional(Gguf gguf, String key, int defaultValue) throws BadFileException {
    return (int) gguf.unsignedInt(key).orElse(defaultValue);
  }
}
