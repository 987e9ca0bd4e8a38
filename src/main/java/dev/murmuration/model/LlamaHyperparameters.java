package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;

/**
 * The sizes of a model of architecture {@code llama}. The names of the metadata keys are those of
 * {@code src/llama-arch.cpp}.
 *
 * @param hiddenSize length of a hidden state ({@code llama.embedding_length})
 * @param layers number of transformer layers ({@code llama.block_count})
 * @param heads number of attention heads ({@code llama.attention.head_count})
 * @param keyValueHeads number of key/value heads, a divisor of {@code heads} ({@code
 *     llama.attention.head_count_kv})
 * @param headSize length of one head's query, key and value ({@code llama.attention.key_length})
 * @param feedForwardSize length inside the feed-forward network ({@code llama.feed_forward_length})
 * @param vocabularySize number of tokens
 * @param contextLength tokens the model was trained for ({@code llama.context_length})
 * @param normEpsilon epsilon of RMSNorm ({@code llama.attention.layer_norm_rms_epsilon})
 * @param ropeBase base of the rotary position encoding ({@code llama.rope.freq_base})
 * @param hasOutputHead whether the file has a language-model head ({@code output.weight}); without
 *     one llama.cpp uses the token embedding
 * @param parameterCount numbers in all tensors
 * @param weightBytes bytes of all tensors in the file, without padding
 */
public record LlamaHyperparameters(
    int hiddenSize,
    int layers,
    int heads,
    int keyValueHeads,
    int headSize,
    int feedForwardSize,
    int vocabularySize,
    int contextLength,
    float normEpsilon,
    float ropeBase,
    boolean hasOutputHead,
    long parameterCount,
    long weightBytes) {

  /**
   * Checks that a file is a model which llama.cpp v0.5.0 can load and compute with on any text
   * without ending the process: every key, every token and every tensor. What it does not know it
   * refuses. The numbers in the tensors are not looked at; they can make a reward wrong or NaN, but
   * nothing worse.
   *
   * @return the model's sizes
   * @throws BadFileException if anything is missing, unknown, of another type or out of range; the
   *     message names it
   */
  public static LlamaHyperparameters validate(Gguf gguf) throws BadFileException {
    LlamaMetadata.check(gguf);
    int vocabularySize = LlamaVocabulary.check(gguf);
    LlamaHyperparameters sizes = LlamaMetadata.sizes(gguf, vocabularySize);
    LlamaTensors.check(gguf, sizes);
    return sizes;
  }
}
