package dev.murmuration.model;

import dev.murmuration.architecture.BodyTensor;
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
 * Checks that the tensors are exactly those of an architecture ({@code load_arch_tensors} in {@code
 * src/models}), with the right shapes, and of types that ggml can multiply with. A wrong type ends
 * the process in the middle of a computation.
 */
final class TensorCheck {
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
  private final Map<String, BodyTensor> expected = new LinkedHashMap<>();

  private TensorCheck(Gguf gguf, List<BodyTensor> tensors) {
    this.gguf = gguf;
    tensors.forEach(tensor -> expected.put(tensor.ggufName(), tensor));
  }

  static void check(Gguf gguf, List<BodyTensor> tensors) throws BadFileException {
    TensorCheck check = new TensorCheck(gguf, tensors);
    for (GgufTensor tensor : gguf.tensors()) {
      check.checkTensor(tensor);
    }
    check.checkNothingIsMissing();
  }

  private void checkTensor(GgufTensor tensor) throws BadFileException {
    if (GgufHead.isHead(tensor)) {
      GgufHead.check(gguf, tensor);
      return;
    }
    BodyTensor body = expected.get(tensor.name());
    if (body == null) {
      throw gguf.problem(
          "the tensor "
              + BadFileException.quote(tensor.name())
              + " does not belong to a model of this architecture and size; such a variant is not"
              + " supported");
    }
    if (!tensor.dims().equals(body.dims())) {
      throw gguf.problem(
          "the tensor "
              + tensor.name()
              + " has the shape "
              + tensor.dims()
              + ", expected "
              + body.dims());
    }
    boolean vector = body.isVector();
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
    for (BodyTensor body : expected.values()) {
      if (!body.optional() && gguf.tensor(body.ggufName()).isEmpty()) {
        throw gguf.problem(
            "the tensor " + body.ggufName() + " is missing; convert the model again");
      }
    }
  }
}
