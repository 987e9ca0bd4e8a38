package dev.murmuration.checkpoint;

import java.util.ArrayList;
import java.util.List;

/**
 * One tensor of a Llama body, with its names in a checkpoint and in a GGUF ({@code
 * LLM_TENSOR_NAMES} in {@code src/llama-arch.cpp}).
 *
 * @param name the key in the state dict, without the prefix of the body
 * @param ggufName the name in the GGUF
 * @param shape lengths in PyTorch's order
 * @param permutedHeads the number of heads if the rows of each head are reordered, else 0. The two
 *     rows of a pair that is rotated together are half a head apart in Hugging Face's order, and
 *     neighbours in llama.cpp's ({@code permute} in {@code conversion/llama.py})
 */
record BodyTensor(String name, String ggufName, List<Long> shape, int permutedHeads) {

  boolean isVector() {
    return shape.size() == 1;
  }

  /** Lengths in ggml's order. */
  List<Long> dims() {
    return shape.reversed();
  }

  /** All tensors of a body in the order in which llama.cpp's converter writes them. */
  static List<BodyTensor> of(ModelConfig config) {
    List<BodyTensor> tensors = new ArrayList<>();
    long hidden = config.hiddenSize();
    add(tensors, "embed_tokens", "token_embd", 0, (long) config.vocabularySize(), hidden);
    for (int layer = 0; layer < config.layers(); layer++) {
      addLayer(tensors, config, "layers." + layer + ".", "blk." + layer + ".");
    }
    add(tensors, "norm", "output_norm", 0, hidden);
    return tensors;
  }

  private static void addLayer(
      List<BodyTensor> tensors, ModelConfig config, String from, String to) {
    long hidden = config.hiddenSize();
    long inner = config.feedForwardSize();
    long queries = config.queryRows();
    long keys = config.keyValueRows();
    String attention = from + "self_attn.";
    add(tensors, from + "input_layernorm", to + "attn_norm", 0, hidden);
    add(tensors, from + "mlp.down_proj", to + "ffn_down", 0, hidden, inner);
    add(tensors, from + "mlp.gate_proj", to + "ffn_gate", 0, inner, hidden);
    add(tensors, from + "mlp.up_proj", to + "ffn_up", 0, inner, hidden);
    add(tensors, from + "post_attention_layernorm", to + "ffn_norm", 0, hidden);
    add(tensors, attention + "k_proj", to + "attn_k", config.keyValueHeads(), keys, hidden);
    add(tensors, attention + "o_proj", to + "attn_output", 0, hidden, queries);
    add(tensors, attention + "q_proj", to + "attn_q", config.heads(), queries, hidden);
    add(tensors, attention + "v_proj", to + "attn_v", 0, keys, hidden);
  }

  private static void add(
      List<BodyTensor> tensors, String from, String to, int permutedHeads, Long... shape) {
    tensors.add(new BodyTensor(from + ".weight", to + ".weight", List.of(shape), permutedHeads));
  }
}
