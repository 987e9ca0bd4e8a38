package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.CheckpointTensor;
import java.util.List;

/** What is wrong with a tensor. */
final class TensorProblem {
  private TensorProblem() {}

  /**
   * A failure.
   *
   * @param text goes on behind the tensor's name
   */
  static BadFileException of(CheckpointTensor tensor, String text) {
    return new BadFileException(
        tensor.file(), "the tensor " + BadFileException.quote(tensor.name()) + " " + text);
  }

  /** Refuses a tensor of another shape, or of numbers that are no weights. */
  static void requireShape(CheckpointTensor tensor, List<Long> shape) throws BadFileException {
    if (!tensor.shape().equals(shape)) {
      throw of(tensor, "has the shape " + tensor.shape() + ", config.json asks for " + shape);
    }
    if (!tensor.type().isWeight()) {
      throw of(tensor, tensor.type().refusal());
    }
  }
}
