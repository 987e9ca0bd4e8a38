package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.util.Locale;

/**
 * The metadata that does not concern the tokenizer: keys, types and order of {@code
 * conversion/base.py} and {@code conversion/llama.py}, and the value head.
 */
final class ModelMetadata {
  private static final int QUANTIZATION_VERSION = 2;

  private final ModelConfig config;
  private final StateDict tensors;

  ModelMetadata(ModelConfig config, StateDict tensors) {
    this.config = config;
    this.tensors = tensors;
  }

  void writeTo(GgufWriter out, String name, GgufTensorType type) {
    out.metadata("general.architecture", GgufValue.text("llama"))
        .metadata("general.type", GgufValue.text("model"))
        .metadata("general.name", GgufValue.text(name))
        .metadata("general.size_label", GgufValue.text(sizeLabel(parameters())));
    number(out, "block_count", config.layers());
    number(out, "context_length", config.contextLength());
    number(out, "embedding_length", config.hiddenSize());
    number(out, "feed_forward_length", config.feedForwardSize());
    number(out, "attention.head_count", config.heads());
    number(out, "attention.head_count_kv", config.keyValueHeads());
    ropeScaling(out);
    out.metadata("llama.rope.freq_base", GgufValue.float32(config.ropeBase()));
    out.metadata("llama.attention.layer_norm_rms_epsilon", GgufValue.float32(config.normEpsilon()));
    number(out, "attention.key_length", config.headSize());
    number(out, "attention.value_length", config.headSize());
    out.metadata("general.file_type", GgufValue.uint32(fileType(type)));
    number(out, "vocab_size", config.vocabularySize());
    number(out, "rope.dimension_count", config.headSize());
    out.metadata("general.quantization_version", GgufValue.uint32(QUANTIZATION_VERSION));
  }

  private void ropeScaling(GgufWriter out) {
    if (config.ropeLinearFactor().isPresent()) {
      float factor = (float) config.ropeLinearFactor().getAsDouble();
      out.metadata("llama.rope.scaling.type", GgufValue.text("linear"))
          .metadata("llama.rope.scaling.factor", GgufValue.float32(factor));
    }
  }

  private static void number(GgufWriter out, String key, int value) {
    out.metadata("llama." + key, GgufValue.uint32(value));
  }

  private long parameters() {
    return tensors.sources().stream().mapToLong(source -> source.tensor().elements()).sum();
  }

  /**
   * {@code size_label} in {@code gguf-py/gguf/utility.py}: one decimal below ten, none from ten on.
   */
  static String sizeLabel(long parameters) {
    double scaled = parameters / 1e3;
    String unit = "K";
    if (parameters > 1e12) {
      scaled = parameters / 1e12;
      unit = "T";
    } else if (parameters > 1e9) {
      scaled = parameters / 1e9;
      unit = "B";
    } else if (parameters > 1e6) {
      scaled = parameters / 1e6;
      unit = "M";
    }
    int decimals = Math.rint(scaled) >= 10 ? 0 : 1;
    return String.format(Locale.ROOT, "%." + decimals + "f%s", scaled, unit);
  }

  /** {@code llama_ftype} in {@code include/llama.h}. */
  private static int fileType(GgufTensorType type) {
    return switch (type) {
      case F32 -> 0;
      case F16 -> 1;
      case Q8_0 -> 7;
      case BF16 -> 32;
      default -> throw new IllegalArgumentException("no file type for " + type);
    };
  }

  /** The value head and how to use it. */
  void writeHeadTo(GgufWriter out, Sources sources, String template, int maxLength)
      throws IOException {
    out.metadata(RewardMetadata.VALUE_HEAD, GgufValue.floats(head(sources)))
        .metadata(RewardMetadata.TEMPLATE, GgufValue.text(template))
        .metadata(
            RewardMetadata.MAX_LENGTH,
            GgufValue.uint32(Math.min(maxLength, config.contextLength())))
        .metadata(RewardMetadata.READOUT, GgufValue.text(RewardMetadata.LAST_TOKEN));
  }

  private float[] head(Sources sources) throws IOException {
    CheckpointTensor head = tensors.head();
    float[] weights = sources.floats(head);
    for (int i = 0; i < weights.length; i++) {
      if (!Float.isFinite(weights[i])) {
        throw StateDict.problem(head, "has " + weights[i] + " at index " + i);
      }
    }
    return weights;
  }
}
