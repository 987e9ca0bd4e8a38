package dev.murmuration.model;

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
    long weightBytes) {}
