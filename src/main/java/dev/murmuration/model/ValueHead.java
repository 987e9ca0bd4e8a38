package dev.murmuration.model;

import java.util.List;

/**
 * The value head, which makes a number of a hidden state: {@code reward = weights · hiddenState +
 * bias}, or several such layers with an activation between them. Float32 weights, never quantized;
 * sums in double. Immutable.
 */
public final class ValueHead {
  private final List<Layer> layers;

  /**
   * A linear layer, and the activation behind it.
   *
   * @param weights float32 matrix of shape [outputs, inputs], row by row
   * @param bias float32 of shape [outputs]
   * @param activation applied to each output
   */
  @SuppressWarnings("ArrayRecordComponent") // Never compared, and up to half a gigabyte.
  record Layer(float[] weights, float[] bias, Activation activation) {
    int outputs() {
      return bias.length;
    }

    long parameterCount() {
      boolean biased = false;
      for (float b : bias) {
        biased |= b != 0;
      }
      return (long) weights.length + (biased ? bias.length : 0);
    }

    int inputs() {
      return weights.length / bias.length;
    }

    /**
     * The outputs for one row of inputs.
     *
     * @param from where the row begins
     */
    double[] apply(float[] inputs, int from) {
      int width = inputs();
      double[] outputs = new double[bias.length];
      for (int row = 0; row < outputs.length; row++) {
        outputs[row] = activation.apply(dot(row * width, inputs, from, width) + bias[row]);
      }
      return outputs;
    }

    /**
     * Four sums instead of one, so that an addition need not wait for the one before it: a layer of
     * 4096 x 4096 then takes no longer than its weights take to come from memory.
     */
    private double dot(int at, float[] inputs, int from, int width) {
      float[] w = weights;
      double a = 0;
      double b = 0;
      double c = 0;
      double d = 0;
      int whole = width & -4;
      for (int i = 0; i < whole; i += 4) {
        a += (double) w[at + i] * inputs[from + i];
        b += (double) w[at + i + 1] * inputs[from + i + 1];
        c += (double) w[at + i + 2] * inputs[from + i + 2];
        d += (double) w[at + i + 3] * inputs[from + i + 3];
      }
      for (int i = whole; i < width; i++) {
        a += (double) w[at + i] * inputs[from + i];
      }
      return (a + b) + (c + d);
    }
  }

  /** A head of layers that fit together, the last with one output. */
  ValueHead(List<Layer> layers) {
    this.layers = List.copyOf(layers);
    for (int i = 1; i < layers.size(); i++) {
      if (layers.get(i).inputs() != layers.get(i - 1).outputs()) {
        throw new IllegalArgumentException("layer " + i + " does not fit the one before it");
      }
    }
    if (layers.getLast().outputs() != 1) {
      throw new IllegalArgumentException("a head has one output");
    }
  }

  /** A linear head. */
  static ValueHead linear(float[] weights, float bias) {
    return new ValueHead(List.of(new Layer(weights, new float[] {bias}, Activation.NONE)));
  }

  List<Layer> layers() {
    return layers;
  }

  /** The length of a hidden state, in floats. */
  public int hiddenSize() {
    return layers.getFirst().inputs();
  }

  /** Numbers in its weights, and in its biases where it has any. */
  public long parameterCount() {
    return layers.stream().mapToLong(Layer::parameterCount).sum();
  }

  /** Its layers in words: {@code linear 64 → 48, relu, linear 48 → 1}. */
  public String describe() {
    StringBuilder words = new StringBuilder();
    for (Layer layer : layers) {
      words.append(words.isEmpty() ? "linear " : ", linear ");
      words.append(layer.inputs()).append(" → ").append(layer.outputs());
      if (layer.activation() != Activation.NONE) {
        words.append(", ").append(layer.activation().label());
      }
    }
    return words.toString();
  }

  /**
   * The reward of one hidden state.
   *
   * @param states float32 matrix of shape [rows, hiddenSize], row by row
   * @param row which row to project
   */
  public double reward(float[] states, int row) {
    float[] inputs = states;
    int from = row * hiddenSize();
    for (Layer layer : layers.subList(0, layers.size() - 1)) {
      inputs = floats(layer.apply(inputs, from));
      from = 0;
    }
    return layers.getLast().apply(inputs, from)[0];
  }

  private static float[] floats(double[] numbers) {
    float[] rounded = new float[numbers.length];
    for (int i = 0; i < numbers.length; i++) {
      rounded[i] = (float) numbers[i];
    }
    return rounded;
  }
}
