package dev.murmuration.architecture;

/**
 * The sizes of a model. The names of the metadata keys, which follow the name of the architecture
 * and a dot, are those of {@code src/llama-arch.cpp}.
 *
 * @param architecture its name in a GGUF, such as {@code llama}
 * @param hiddenSize length of a hidden state ({@code embedding_length})
 * @param layers number of transformer layers ({@code block_count})
 * @param heads number of attention heads ({@code attention.head_count})
 * @param keyValueHeads number of key/value heads, a divisor of {@code heads} ({@code
 *     attention.head_count_kv})
 * @param headSize length of one head's query, key and value ({@code attention.key_length})
 * @param feedForwardSize length inside the feed-forward network ({@code feed_forward_length})
 * @param vocabularySize number of tokens
 * @param contextLength tokens the model was trained for ({@code context_length})
 * @param normEpsilon epsilon of RMSNorm ({@code attention.layer_norm_rms_epsilon})
 * @param ropeBase base of the rotary position encoding ({@code rope.freq_base})
 * @param slidingWindow how many tokens a token of every other layer sees, itself included ({@code
 *     attention.sliding_window}); 0 where all see all that is before them
 * @param softCap limit that attention's dot products are bent to ({@code attn_logit_softcapping});
 *     0 where there is none
 * @param hasOutputHead whether the file has a language-model head ({@code output.weight}); without
 *     one llama.cpp uses the token embedding
 * @param parameterCount numbers in all tensors
 * @param weightBytes bytes of all tensors in the file, without padding
 */
public record ModelShape(
    String architecture,
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
    int slidingWindow,
    float softCap,
    boolean hasOutputHead,
    long parameterCount,
    long weightBytes) {

  /** The same with a window on every other layer and soft-capped attention. */
  ModelShape windowed(int window, float cap) {
    return with(contextLength, window, cap, parameterCount, weightBytes);
  }

  /** The same for texts of at most so many tokens. */
  public ModelShape upTo(int tokens) {
    return with(
        Math.min(contextLength, tokens), slidingWindow, softCap, parameterCount, weightBytes);
  }

  /** The same with known weights. */
  public ModelShape weights(long parameters, long bytes) {
    return with(contextLength, slidingWindow, softCap, parameters, bytes);
  }

  private ModelShape with(int length, int window, float cap, long parameters, long bytes) {
    return new ModelShape(
        architecture,
        hiddenSize,
        layers,
        heads,
        keyValueHeads,
        headSize,
        feedForwardSize,
        vocabularySize,
        length,
        normEpsilon,
        ropeBase,
        window,
        cap,
        hasOutputHead,
        parameters,
        bytes);
  }

  /** Rows of the query projection. */
  long queryRows() {
    return (long) heads * headSize;
  }

  /** Rows of the key and of the value projection. */
  long keyValueRows() {
    return (long) keyValueHeads * headSize;
  }
}
