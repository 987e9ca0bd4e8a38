package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufTensorType;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import dev.murmuration.model.RewardMetadata;
import java.util.Locale;

/**
 * The metadata that does not concern the tokenizer: keys, types and order of {@code
 * conversion/base.py}, and the value head.
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
    out.metadata("general.architecture", GgufValue.text(config.architecture().name()))
        .metadata("general.type", GgufValue.text("model"))
        .metadata("general.name", GgufValue.text(name))
        .metadata("general.size_label", GgufValue.text(sizeLabel(parameters())));
    config.architecture().metadata(config.shape(), config.rope()).forEach(out::metadata);
    out.metadata("general.file_type", GgufValue.uint32(fileType(type)));
    config.ownMetadata().forEach(out::metadata);
    out.metadata("general.quantization_version", GgufValue.uint32(QUANTIZATION_VERSION));
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

  /** Tokens of the longest text. */
  void writeLengthTo(GgufWriter out, int maxLength) {
    out.metadata(
        RewardMetadata.MAX_LENGTH, GgufValue.uint32(Math.min(maxLength, config.contextLength())));
  }
}
