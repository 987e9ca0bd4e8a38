package dev.murmuration.architecture;

import dev.murmuration.architecture.RopeScaling.Kind;
import dev.murmuration.files.BadFileException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Llama 2 and 3, Yi, and other models of the same layers ({@code src/models/llama.cpp}). */
class LlamaArchitecture extends Architecture {
  /** Llama 3: by what each frequency of the position encoding is divided. */
  private static final String ROPE_DIVISORS = "rope_freqs.weight";

  LlamaArchitecture() {
    this(
        "llama",
        Set.of(
            "LlamaForCausalLM",
            "LlamaModel",
            "LlamaForSequenceClassification",
            "LLMForSequenceRegression",
            "GPTRewardModel"));
  }

  LlamaArchitecture(String modelType, Set<String> classes) {
    super("llama", modelType, classes);
  }

  @Override
  int keyValueHeads(ConfigJson config, int heads) throws BadFileException {
    return config.size(Size.KEY_VALUE_HEADS, heads); // Llama 1 does not say.
  }

  @Override
  Set<Kind> ropeKinds() {
    return EnumSet.allOf(Kind.class);
  }

  @Override
  public Map<String, float[]> computedTensors(ModelShape shape, RopeScaling rope) {
    return rope.divisors(shape).map(divisors -> Map.of(ROPE_DIVISORS, divisors)).orElse(Map.of());
  }

  @Override
  List<BodyTensor> otherTensors(ModelShape shape) {
    List<BodyTensor> tensors = new ArrayList<>(super.otherTensors(shape));
    tensors.add(BodyTensor.inGguf(ROPE_DIVISORS, shape.headSize() / 2));
    return tensors;
  }

  @Override
  List<BodyTensor> layer(ModelShape shape) {
    List<BodyTensor> tensors = new ArrayList<>();
    for (BodyTensor tensor : super.layer(shape)) {
      tensors.add(
          switch (tensor.ggufName()) {
            case "attn_q.weight" -> tensor.permuted(shape.heads());
            case "attn_k.weight" -> tensor.permuted(shape.keyValueHeads());
            default -> tensor;
          });
      if (!tensor.isVector()) {
        // llama.cpp adds biases where a file has them; no checkpoint that is converted does.
        tensors.add(
            BodyTensor.inGguf(
                tensor.ggufName().replace(".weight", ".bias"), tensor.shape().getFirst()));
      }
    }
    return tensors;
  }
}
