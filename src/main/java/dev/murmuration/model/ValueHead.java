package dev.murmuration.model;

import dev.murmuration.files.ForeignFile;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.SafetensorsFile;
import dev.murmuration.tensors.Sources;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The linear value head: {@code reward = weights · hiddenState}, without a bias. Float32 weights,
 * never quantized; the product is summed in double. Immutable.
 */
public final class ValueHead {
  private static final List<String> TENSOR_NAMES = List.of("v_head.weight", "score.weight");

  private final float[] weights;

  private ValueHead(float[] weights, int hiddenSize, String source) throws IOException {
    if (weights.length != hiddenSize) {
      throw new IOException(
          source
              + " has "
              + weights.length
              + " weights, but the model's hidden states have "
              + hiddenSize
              + "; take the head that belongs to this model");
    }
    for (int i = 0; i < weights.length; i++) {
      if (!Float.isFinite(weights[i])) {
        throw new IOException(source + " is damaged: weight " + i + " is " + weights[i]);
      }
    }
    this.weights = weights;
  }

  /**
   * A head of given weights.
   *
   * @param source the file and the tensor or key that they come from, for messages
   * @throws IOException if their number is not {@code hiddenSize}, or one is not finite
   */
  static ValueHead of(float[] weights, int hiddenSize, String source) throws IOException {
    return new ValueHead(weights, hiddenSize, source);
  }

  /**
   * The head in a safetensors file: its tensor {@code v_head.weight} or {@code score.weight}, shape
   * [1, hiddenSize] or [hiddenSize], F32, F16 or BF16. Format: huggingface.co/docs/safetensors.
   *
   * @throws IOException if the file has no such tensor, or its shape or type does not fit
   */
  public static ValueHead ofSafetensors(Path file, int hiddenSize) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(
          file
              + (Files.exists(file) ? " is not a file" : " does not exist")
              + "; valueHead names a safetensors file");
    }
    ForeignFile.requireUnpacked(file);
    Map<String, CheckpointTensor> tensors = new HashMap<>();
    SafetensorsFile.read(file).forEach(tensor -> tensors.put(tensor.name(), tensor));
    CheckpointTensor tensor =
        TENSOR_NAMES.stream()
            .filter(tensors::containsKey)
            .findFirst()
            .map(tensors::get)
            .orElseThrow(
                () ->
                    new IOException(file + " holds neither " + String.join(" nor ", TENSOR_NAMES)));
    String source = file + ": " + tensor.name();
    if (!tensor.type().isWeight()) {
      throw new IOException(
          source + " has type '" + tensor.type() + "'; F32, F16 and BF16 are read");
    }
    if (!tensor.shape().equals(List.of(1L, (long) hiddenSize))
        && !tensor.shape().equals(List.of((long) hiddenSize))) {
      throw new IOException(
          source
              + " has the shape "
              + tensor.shape()
              + "; the model's hidden states need [1, "
              + hiddenSize
              + "]; take the head that belongs to this model");
    }
    try (Sources sources = new Sources()) {
      return new ValueHead(sources.floats(tensor), hiddenSize, source);
    }
  }

  /** The length of a hidden state, in floats. */
  public int hiddenSize() {
    return weights.length;
  }

  /**
   * The reward of one hidden state.
   *
   * @param states float32 matrix of shape [rows, hiddenSize], row by row
   * @param row which row to project
   */
  public double reward(float[] states, int row) {
    double sum = 0;
    int from = row * weights.length;
    for (int i = 0; i < weights.length; i++) {
      sum += (double) weights[i] * states[from + i];
    }
    return sum;
  }
}
