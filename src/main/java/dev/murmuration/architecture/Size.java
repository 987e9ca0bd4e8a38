package dev.murmuration.architecture;

import dev.murmuration.gguf.MetadataRule;

/**
 * A size that {@code config.json} and GGUF both state.
 *
 * @param key the GGUF's, behind the name of the architecture
 * @param configKey that of {@code config.json}
 * @param limit the largest value; from llama.cpp, or more than any model has
 */
record Size(String key, String configKey, int limit) {
  static final Size HIDDEN = new Size("embedding_length", "hidden_size", 1 << 16);

  /** LLAMA_MAX_LAYERS in src/llama-hparams.h; with more an assertion fails. */
  static final Size LAYERS = new Size("block_count", "num_hidden_layers", 512);

  static final Size HEADS = new Size("attention.head_count", "num_attention_heads", 1 << 10);
  static final Size KEY_VALUE_HEADS =
      new Size("attention.head_count_kv", "num_key_value_heads", 1 << 10);
  static final Size HEAD = new Size("attention.key_length", "head_dim", 1 << 10);
  static final Size FEED_FORWARD = new Size("feed_forward_length", "intermediate_size", 1 << 18);
  static final Size CONTEXT = new Size("context_length", "max_position_embeddings", 1 << 20);
  static final Size VOCABULARY = new Size("vocab_size", "vocab_size", 1 << 20);
  static final Size WINDOW = new Size("attention.sliding_window", "sliding_window", 1 << 20);

  /** What the GGUF may say. */
  MetadataRule rule() {
    return atLeast(1);
  }

  MetadataRule atLeast(int least) {
    return new MetadataRule.Uint32(least, limit);
  }
}
