package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufWriter;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/**
 * The value head in a GGUF's metadata, where stock llama.cpp passes over it and no quantizer
 * touches it; a large network's numbers are in a file beside the GGUF.
 */
public final class HeadMetadata {
  /**
   * Numbers of the largest head in metadata, 4 MiB of them. Every program reads all metadata before
   * anything else, and llama.cpp keeps them in memory; a layer of 4096 x 4096 has 64 MiB, which is
   * our own limit for a whole header.
   */
  static final long MOST_NUMBERS = 1 << 20;

  private static final int MOST_LAYERS = 16;
  private static final String PREFIX = "reward_model.value_head.";

  private HeadMetadata() {}

  /** Whether a head's numbers go into a file of their own. */
  public static boolean needsFile(ValueHead head) {
    return head.parameterCount() > MOST_NUMBERS;
  }

  /** Writes a head; of a network in a file its name, hash and activations. */
  public static void write(ValueHead head, Optional<HeadFile> file, GgufWriter out) {
    List<ValueHead.Layer> layers = head.layers();
    if (layers.size() == 1) {
      ValueHead.Layer only = layers.getFirst();
      out.metadata(RewardMetadata.VALUE_HEAD, GgufValue.floats(only.weights()));
      if (only.bias()[0] != 0) {
        out.metadata(RewardMetadata.VALUE_HEAD_BIAS, GgufValue.float32(only.bias()[0]));
      }
      return;
    }
    out.metadata(RewardMetadata.VALUE_HEAD_LAYERS, GgufValue.uint32(layers.size()));
    for (int i = 0; i < layers.size(); i++) {
      ValueHead.Layer layer = layers.get(i);
      if (layer.activation() != Activation.NONE) {
        out.metadata(key(i, "activation"), GgufValue.text(layer.activation().label()));
      }
      if (file.isEmpty()) {
        out.metadata(key(i, "shape"), GgufValue.ints(layer.outputs(), layer.inputs()))
            .metadata(key(i, "weight"), GgufValue.floats(layer.weights()))
            .metadata(key(i, "bias"), GgufValue.floats(layer.bias()));
      }
    }
    file.ifPresent(
        named ->
            out.metadata(RewardMetadata.VALUE_HEAD_FILE, GgufValue.text(named.name()))
                .metadata(RewardMetadata.VALUE_HEAD_HASH, GgufValue.text(named.sha256())));
  }

  private static String key(int layer, String what) {
    return PREFIX + layer + "." + what;
  }

  /**
   * Reads a head; empty if the metadata hold none.
   *
   * @throws BadFileException if a key has a wrong value, or the head's file is missing or another
   */
  static Optional<ValueHead> read(Gguf gguf, int hiddenSize) throws IOException {
    OptionalLong count = gguf.unsignedInt(RewardMetadata.VALUE_HEAD_LAYERS);
    Optional<float[]> linear = gguf.floats(RewardMetadata.VALUE_HEAD);
    if (count.isEmpty()) {
      return linear.isEmpty()
          ? Optional.empty()
          : Optional.of(linear(gguf, linear.get(), hiddenSize));
    }
    if (linear.isPresent() || count.getAsLong() < 1 || count.getAsLong() > MOST_LAYERS) {
      throw gguf.problem(
          RewardMetadata.VALUE_HEAD_LAYERS
              + " is "
              + count.getAsLong()
              + (linear.isPresent()
                  ? ", but " + RewardMetadata.VALUE_HEAD + " is there as well"
                  : ", expected 1 to " + MOST_LAYERS));
    }
    Optional<HeadFile> file = HeadFile.of(gguf);
    List<Activation> activations = new ArrayList<>();
    for (int i = 0; i < count.getAsLong(); i++) {
      activations.add(activation(gguf, key(i, "activation")));
    }
    return Optional.of(
        file.isPresent()
            ? file.get().read(gguf.path(), hiddenSize, activations)
            : network(gguf, hiddenSize, activations));
  }

  private static ValueHead linear(Gguf gguf, float[] weights, int hiddenSize)
      throws BadFileException {
    if (weights.length != hiddenSize) {
      throw wrongSize(gguf, RewardMetadata.VALUE_HEAD, weights.length, hiddenSize);
    }
    requireFinite(gguf, RewardMetadata.VALUE_HEAD, weights);
    float bias = gguf.float32(RewardMetadata.VALUE_HEAD_BIAS).orElse(0f);
    requireFinite(gguf, RewardMetadata.VALUE_HEAD_BIAS, bias);
    return ValueHead.linear(weights, bias);
  }

  private static BadFileException wrongSize(Gguf gguf, String key, long size, int hiddenSize) {
    return gguf.problem(
        key
            + " has "
            + size
            + " weights, but the model's hidden states have "
            + hiddenSize
            + "; take the head that belongs to this model");
  }

  private static ValueHead network(Gguf gguf, int hiddenSize, List<Activation> activations)
      throws BadFileException {
    List<ValueHead.Layer> layers = new ArrayList<>();
    int inputs = hiddenSize;
    for (int i = 0; i < activations.size(); i++) {
      int[] shape = gguf.ints(key(i, "shape")).orElse(new int[0]);
      float[] weights = gguf.floats(key(i, "weight")).orElse(new float[0]);
      float[] bias = gguf.floats(key(i, "bias")).orElse(new float[0]);
      boolean last = i == activations.size() - 1;
      if (shape.length != 2
          || shape[0] < 1
          || shape[1] != inputs
          || (last && shape[0] != 1)
          || weights.length != (long) shape[0] * shape[1]
          || bias.length != shape[0]) {
        throw gguf.problem(
            "layer "
                + i
                + " of the value head has the shape "
                + Arrays.toString(shape)
                + ", "
                + weights.length
                + " weights and "
                + bias.length
                + " biases, which does not fit "
                + (i == 0 ? "hidden states of " + inputs : "the " + inputs + " before it")
                + (last ? " and one output" : "")
                + "; take the head that belongs to this model");
      }
      requireFinite(gguf, key(i, "weight"), weights);
      requireFinite(gguf, key(i, "bias"), bias);
      layers.add(new ValueHead.Layer(weights, bias, activations.get(i)));
      inputs = shape[0];
    }
    return new ValueHead(layers);
  }

  private static Activation activation(Gguf gguf, String key) throws BadFileException {
    String label = gguf.string(key).orElse(Activation.NONE.label());
    return Activation.of(label)
        .orElseThrow(
            () ->
                gguf.problem(
                    key + " is " + BadFileException.quote(label) + ", which is not known"));
  }

  private static void requireFinite(Gguf gguf, String key, float... numbers)
      throws BadFileException {
    for (int i = 0; i < numbers.length; i++) {
      if (!Float.isFinite(numbers[i])) {
        throw gguf.problem(key + " is damaged: number " + i + " is " + numbers[i]);
      }
    }
  }
}
