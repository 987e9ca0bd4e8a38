package dev.murmuration.model;

import dev.murmuration.architecture.Architecture;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.gguf.MetadataRule;
import java.util.Map;

/**
 * Checks the metadata against the keys that an architecture knows and their allowed values. With
 * others an assertion could fail in {@code llama_model_base::load_hparams} of {@code
 * src/llama-model.cpp} or in the computation, and end the process.
 */
final class MetadataCheck {
  private static final int MAX_KEYS = 4096;

  /** llama.cpp reads these of the general keys; others may have any value. */
  private static final Map<String, MetadataRule> GENERAL =
      Map.of(
          "general.name", new MetadataRule.AnyOfType(GgufValueType.STRING),
          "general.file_type", new MetadataRule.AnyOfType(GgufValueType.UINT32),
          "general.quantization_version", new MetadataRule.AnyOfType(GgufValueType.UINT32));

  private MetadataCheck() {}

  static void check(Gguf gguf, Architecture architecture) throws BadFileException {
    if (gguf.metadata().size() > MAX_KEYS) {
      throw gguf.problem(
          "the file has " + gguf.metadata().size() + " metadata keys, the limit is " + MAX_KEYS);
    }
    for (String key : architecture.requiredMetadata()) {
      if (!gguf.metadata().containsKey(key)) {
        throw gguf.problem(
            "the metadata key "
                + key
                + " is missing; convert the model again with llama.cpp's converter");
      }
    }
    for (String key : gguf.metadata().keySet()) {
      checkKey(gguf, key, architecture);
    }
  }

  private static void checkKey(Gguf gguf, String key, Architecture architecture)
      throws BadFileException {
    MetadataRule rule = architecture.metadataRules().getOrDefault(key, GENERAL.get(key));
    if (rule != null) {
      rule.check(gguf, key);
    } else if (key.startsWith(architecture.name() + ".")) {
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
}
