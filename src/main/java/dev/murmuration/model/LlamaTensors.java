package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import java.util.EnumSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Checks that the tensors are exactly those of architecture {@code llama} ({@code
 * load_arch_tensors} in {@code src/models/llama.cpp}), with the right shapes, and of types that
 * ggml can multiply with. A wrong type ends the process in the middle of a computation.
 */
final class LlamaTensors {
  /**
   * Types for which {@code ggml/src/ggml-cpu} has both {@code vec_dot} and {@code get_rows}. NVFP4
   * has them too, but needs scales in further tensors.
   */
  private static final Set<GgufTensorType> WEIGHT_TYPES =
      EnumSet.complementOf(
          EnumSet.of(
              GgufTensorType.Q8_1,
              GgufTensorType.Q8_K,
              GgufTensorType.I8,
              GgufTensorType.I16,
              GgufTensorType.I32,
              GgufTensorType.I64,
              GgufTensorType.F64,
              GgufTensorType.NVFP4));

  private final Gguf gguf;
  private final Map<String, Shape> expected = new LinkedHashMap<>();

  private record Shape(List<Long> dims, boolean required) {}

  private LlamaTensors(Gguf gguf) {
    this.gguf = gguf;
  }

  static void check(Gguf gguf, LlamaHyperparameters sizes) throws BadFileException {
    LlamaTensors tensors = new LlamaTensors(gguf);
    tensors.expectOuter(sizes);
    for (int layer = 0; layer < sizes.layers(); layer++) {
      tensors.expectLayer("blk." + layer + ".", sizes);
    }
    for (GgufTensor tensor : gguf.tensors()) {
      tensors.checkTensor(tensor);
    }
    tensors.checkNothingIsMissing();
  }

  private void expectOuter(LlamaHyperparameters sizes) {
    long hidden = sizes.hiddenSize();
    long vocabulary = sizes.vocabularySize();
    required("token_embd.weight", hidden, vocabulary);
    required("output_norm.weight", hidden);
    optional("output.weight", hidden, vocabulary);
    // Llama 3: a divisor for each frequency of the position encoding.
    optional("rope_freqs.weight", sizes.headSize() / 2L);
  }

  private void expectLayer(String prefix, LlamaHyperparameters sizes) {
    long hidden = sizes.hiddenSize();
    long queries = (long) sizes.heads() * sizes.headSize();
    long keys = (long) sizes.keyValueHeads() * sizes.headSize();
    long inner = sizes.feedForwardSize();
    required(prefix + "attn_norm.weight", hidden);
    expectLinear(prefix + "attn_q", hidden, queries);
    expectLinear(prefix + "attn_k", hidden, keys);
    expectLinear(prefix + "attn_v", hidden, keys);
    expectLinear(prefix + "attn_output", queries, hidden);
    required(prefix + "ffn_norm.weight", hidden);
    expectLinear(prefix + "ffn_gate", hidden, inner);
    expectLinear(prefix + "ffn_up", hidden, inner);
    expectLinear(prefix + "ffn_down", inner, hidden);
  }

  private void expectLinear(String name, long in, long out) {
    required(name + ".weight", in, out);
    optional(name + ".bias", out);
  }

  private void required(String name, Long... dims) {
    expected.put(name, new Shape(List.of(dims), true));
  }

  private void optional(String name, Long... dims) {
    expected.put(name, new Shape(List.of(dims), false));
  }

  private void checkTensor(GgufTensor tensor) throws BadFileException {
    if (GgufHead.isHead(tensor)) {
      GgufHead.check(gguf, tensor);
      return;
    }
    Shape shape = expected.get(tensor.name());
    if (shape == null) {
      throw gguf.problem(
          "the tensor "
              + BadFileException.quote(tensor.name())
              + " does not belong to a llama model of this size; such a variant is not supported");
    }
    if (!tensor.dims().equals(shape.dims())) {
      throw gguf.problem(
          "the tensor "
              + tensor.name()
              + " has the shape "
              + tensor.dims()
              + ", expected "
              + shape.dims());
    }
    boolean vector = shape.dims().size() == 1;
    if (vector ? tensor.type() != GgufTensorType.F32 : !WEIGHT_TYPES.contains(tensor.type())) {
      throw gguf.problem(
          "the tensor "
              + tensor.name()
              + " has the type "
              + tensor.type()
              + ", expected "
              + (vector ? "F32" : "one of " + WEIGHT_TYPES));
    }
  }

  private void checkNothingIsMissing() throws BadFileException {
    for (Map.Entry<String, Shape> entry : expected.entrySet()) {
      if (entry.getValue().required() && gguf.tensor(entry.getKey()).isEmpty()) {
        throw gguf.problem("the tensor " + entry.getKey() + " is missing; convert the model again");
      }
    }
  }
}
