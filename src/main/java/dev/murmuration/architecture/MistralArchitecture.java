package dev.murmuration.architecture;

import dev.murmuration.files.BadFileException;
import java.util.OptionalInt;
import java.util.Set;

/**
 * Mistral: the layers of Llama, and written as such ({@code conversion/llama.py}). A window on
 * attention, which some have, is not computed.
 */
final class MistralArchitecture extends LlamaArchitecture {
  // Of transformers' MistralConfig, where a key is absent and not null.
  private static final int DEFAULT_WINDOW = 4096;
  private static final int DEFAULT_KEY_VALUE_HEADS = 8;

  MistralArchitecture() {
    super(
        "mistral",
        Set.of("MistralForCausalLM", "MistralModel", "MistralForSequenceClassification"));
  }

  @Override
  int keyValueHeads(ConfigJson config, int heads) throws BadFileException {
    return config.get(Size.KEY_VALUE_HEADS.configKey()).isNull()
        ? heads
        : config.size(Size.KEY_VALUE_HEADS, DEFAULT_KEY_VALUE_HEADS);
  }

  @Override
  public OptionalInt window(ConfigJson config, ModelShape shape) throws BadFileException {
    return config.get(Size.WINDOW.configKey()).isNull()
        ? OptionalInt.empty()
        : OptionalInt.of(config.size(Size.WINDOW, DEFAULT_WINDOW));
  }
}
