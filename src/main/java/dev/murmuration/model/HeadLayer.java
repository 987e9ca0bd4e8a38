package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.CheckpointTensor;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/** A linear layer of a head in a checkpoint, and the activation behind it. */
record HeadLayer(CheckpointTensor weight, Optional<CheckpointTensor> bias, Activation activation) {
  /** A layer of a 72B model's head has 2^26 numbers. */
  private static final long MOST_NUMBERS = 1L << 27;

  int outputs() {
    return weight.shape().size() == 1 ? 1 : Math.toIntExact(weight.shape().getFirst());
  }

  int inputs() {
    return Math.toIntExact(weight.shape().getLast());
  }

  Stream<CheckpointTensor> tensors() {
    return Stream.concat(Stream.of(weight), bias.stream());
  }

  /**
   * Checks that layers fit hidden states and each other.
   *
   * @throws BadFileException if a tensor has another shape or another type
   */
  static void check(List<HeadLayer> layers, int hiddenSize) throws BadFileException {
    long inputs = hiddenSize;
    for (HeadLayer layer : layers) {
      boolean last = layer.equals(layers.getLast());
      inputs = layer.check(inputs, inputs == hiddenSize ? "hidden states" : "vectors", last);
    }
  }

  /** The number of outputs, if it takes so many inputs. */
  private long check(long inputs, String ofWhat, boolean last) throws BadFileException {
    List<Long> shape = weight.shape();
    boolean matrix = shape.size() == 2 && shape.getFirst() > 0;
    if (!(matrix || (shape.size() == 1 && last)) || shape.getLast() != inputs) {
      throw problem(
          weight,
          "has the shape "
              + shape
              + "; a layer for "
              + ofWhat
              + " of "
              + inputs
              + " numbers has ["
              + (last ? 1 : "n")
              + ", "
              + inputs
              + "]; take the head that belongs to this model");
    }
    checkNumbers(weight);
    long outputs = matrix ? shape.getFirst() : 1;
    if (bias.isPresent()) {
      checkBias(bias.get(), outputs);
    }
    return outputs;
  }

  private static void checkBias(CheckpointTensor bias, long outputs) throws BadFileException {
    checkNumbers(bias);
    if (!bias.shape().equals(List.of(outputs)) && !(outputs == 1 && bias.shape().isEmpty())) {
      throw problem(bias, "has the shape " + bias.shape() + ", its weights need [" + outputs + "]");
    }
  }

  private static void checkNumbers(CheckpointTensor tensor) throws BadFileException {
    if (!tensor.type().isWeight()) {
      throw problem(tensor, tensor.type().refusal());
    }
    if (tensor.elements() > MOST_NUMBERS) {
      throw problem(tensor, "has " + tensor.elements() + " numbers, the limit for a head is 2^27");
    }
  }

  static BadFileException problem(CheckpointTensor tensor, String text) {
    return new BadFileException(
        tensor.file(), "the tensor " + BadFileException.quote(tensor.name()) + " " + text);
  }
}
