package dev.murmuration.reward;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.model.ModelFile;

/**
 * How large a model's transformer is, as its file says.
 *
 * @param architecture its name in a GGUF, such as {@code llama}
 * @param layers number of transformer layers
 * @param hiddenSize numbers in a hidden state
 * @param heads attention heads of a layer
 * @param keyValueHeads heads of keys and values; fewer than {@code heads} where heads share them
 * @param headSize numbers in one head's query, key and value
 * @param feedForwardSize numbers inside a layer's feed-forward network
 * @param parameters numbers in all tensors of the file
 * @param weightType the type of most weights in the layers, by ggml's name, such as {@code Q8_0}
 * @param matrixBytes bytes of the layers' matrices
 */
public record ModelSize(
    String architecture,
    int layers,
    int hiddenSize,
    int heads,
    int keyValueHeads,
    int headSize,
    int feedForwardSize,
    long parameters,
    String weightType,
    long matrixBytes) {
  static ModelSize of(ModelFile file) {
    ModelShape shape = file.shape();
    return new ModelSize(
        shape.architecture(),
        shape.layers(),
        shape.hiddenSize(),
        shape.heads(),
        shape.keyValueHeads(),
        shape.headSize(),
        shape.feedForwardSize(),
        shape.parameterCount(),
        file.mainType().name(),
        file.matrices().stream().mapToLong(GgufTensor::byteSize).sum());
  }
}
