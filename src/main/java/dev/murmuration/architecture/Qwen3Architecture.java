package dev.murmuration.architecture;

import dev.murmuration.files.BadFileException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;

/**
 * Qwen 3: queries and keys of every head are normed, and heads have a size of their own ({@code
 * src/models/qwen3.cpp}).
 */
final class Qwen3Architecture extends Qwen2Architecture {
  /** Of transformers' {@code Qwen3Config}. */
  private static final int DEFAULT_HEAD_SIZE = 128;

  Qwen3Architecture() {
    super("qwen3", Set.of("Qwen3ForCausalLM", "Qwen3Model", "Qwen3ForSequenceClassification"));
  }

  @Override
  boolean hasOwnHeadSize() {
    return true;
  }

  @Override
  int headSize(ConfigJson config, int hiddenSize, int heads) throws BadFileException {
    return config.size(Size.HEAD, DEFAULT_HEAD_SIZE);
  }

  @Override
  List<BodyTensor> otherTensors(ModelShape shape) {
    return List.of(BodyTensor.inGguf("output.weight", shape.vocabularySize(), shape.hiddenSize()));
  }

  @Override
  List<BodyTensor> layer(ModelShape shape) {
    List<BodyTensor> tensors = new ArrayList<>();
    for (BodyTensor tensor : super.layer(shape)) {
      boolean bias = tensor.ggufName().endsWith(".bias");
      // llama.cpp adds biases where a file has them; Qwen 3 has none.
      tensors.add(bias ? BodyTensor.inGguf(tensor.ggufName(), tensor.shape().getFirst()) : tensor);
    }
    tensors.add(BodyTensor.norm("self_attn.q_norm", "attn_q_norm", shape.headSize()));
    tensors.add(BodyTensor.norm("self_attn.k_norm", "attn_k_norm", shape.headSize()));
    return tensors;
  }
}
