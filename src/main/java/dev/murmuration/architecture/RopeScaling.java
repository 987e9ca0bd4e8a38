package dev.murmuration.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import java.util.Arrays;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;

/**
 * How a model stretches the rotary position encoding beyond what its base was trained for.
 *
 * @param kind the method
 * @param factor by how much; 1 for {@link Kind#NONE}
 * @param lowFrequency bound of what is stretched whole, for {@link Kind#LLAMA3}
 * @param highFrequency bound of what is not stretched, for {@link Kind#LLAMA3}
 * @param originalLength tokens before stretching, for {@link Kind#LLAMA3}
 */
public record RopeScaling(
    Kind kind, double factor, double lowFrequency, double highFrequency, double originalLength) {

  /** The methods that llama.cpp computes as transformers does. */
  public enum Kind {
    /** The base alone. */
    NONE("default"),
    /** Every position is divided. */
    LINEAR("linear"),
    /** Nothing is changed up to the length that the model was trained for. */
    DYNAMIC("dynamic"),
    /** Slow rotations are divided, fast ones are not; see {@link #divisors}. */
    LLAMA3("llama3");

    private final String label;

    Kind(String label) {
      this.label = label;
    }

    /** {@return its name in {@code config.json}} */
    public String label() {
      return label;
    }
  }

  private static final RopeScaling NOTHING = new RopeScaling(Kind.NONE, 1, 0, 0, 0);
  private static final Set<String> PLAIN = Set.of("", "default", "none");

  /**
   * Reads it, in either dialect.
   *
   * @param supported what the architecture computes
   * @throws BadFileException if it is of another kind or incomplete
   */
  static RopeScaling of(ConfigJson config, Set<Kind> supported) throws BadFileException {
    JsonNode rope = config.rope();
    String type = type(rope);
    requireSame(config, rope, config.get("rope_scaling"));
    if (PLAIN.contains(type)) {
      if (rope.valueStream().anyMatch(JsonNode::isContainerNode)) {
        throw config.problem("rope_parameters differ from layer to layer, which is not supported");
      }
      return NOTHING;
    }
    Optional<Kind> kind =
        Arrays.stream(Kind.values()).filter(k -> k.label.equals(type)).findFirst();
    if (kind.isEmpty() || !supported.contains(kind.get())) {
      throw config.problem(
          "rope_type is "
              + BadFileException.quote(type)
              + ", supported is "
              + new TreeSet<>(supported).stream().map(Kind::label).collect(Collectors.joining(", "))
              + "; this position encoding would be computed in another way");
    }
    double factor = parameter(config, rope, type, "factor", 1e-3, 1e4);
    if (kind.get() != Kind.LLAMA3) {
      return new RopeScaling(kind.get(), factor, 0, 0, 0);
    }
    double low = parameter(config, rope, type, "low_freq_factor", 1e-3, 1e6);
    double high = parameter(config, rope, type, "high_freq_factor", 1e-3, 1e6);
    if (high <= low) {
      throw config.problem(
          "high_freq_factor is " + high + ", expected more than low_freq_factor, which is " + low);
    }
    double length =
        parameter(config, rope, type, "original_max_position_embeddings", 1, Size.CONTEXT.limit());
    return new RopeScaling(Kind.LLAMA3, factor, low, high, length);
  }

  private static String type(JsonNode rope) {
    String type = rope.path("rope_type").asText(rope.path("type").asText(""));
    return PLAIN.contains(type) ? "" : type;
  }

  /** Of a file with both dialects, old versions of transformers read one and new ones another. */
  private static void requireSame(ConfigJson config, JsonNode rope, JsonNode older)
      throws BadFileException {
    boolean factors =
        older.path("factor").isMissingNode()
            || older.path("factor").asDouble() == rope.path("factor").asDouble();
    if (older.isObject() && !(type(older).equals(type(rope)) && factors)) {
      throw config.problem(
          "rope_parameters "
              + BadFileException.quote(rope.toString())
              + " and rope_scaling "
              + BadFileException.quote(older.toString())
              + " contradict each other, and versions of transformers differ in which they follow;"
              + " remove the one that the model was not trained with");
    }
  }

  private static double parameter(
      ConfigJson config, JsonNode rope, String type, String key, double least, double most)
      throws BadFileException {
    double value =
        config
            .number(rope, key)
            .orElseThrow(
                () ->
                    config.problem(
                        key
                            + " of rope_scaling is missing, which rope_type "
                            + BadFileException.quote(type)
                            + " needs"));
    if (!(value >= least && value <= most)) {
      throw config.problem(
          "the "
              + key
              + " of rope_scaling is "
              + value
              + String.format(Locale.ROOT, ", expected %.10g to %.10g", least, most));
    }
    return value;
  }

  /**
   * By what each rotation's frequency is divided, in the order and the float32 arithmetic of {@code
   * generate_extra_tensors} in {@code conversion/llama.py}; empty where all are divided alike.
   */
  public Optional<float[]> divisors(ModelShape shape) {
    if (kind != Kind.LLAMA3) {
      return Optional.empty();
    }
    float[] divisors = new float[shape.headSize() / 2];
    for (int i = 0; i < divisors.length; i++) {
      float exponent = (float) (2 * i) / shape.headSize();
      divisors[i] = divisor(1f / (float) Math.pow(shape.ropeBase(), exponent));
    }
    return Optional.of(divisors);
  }

  /** PyTorch divides a number by a tensor as the tensor's reciprocal times the number. */
  private float divisor(float frequency) {
    float length = 1 / frequency * (float) (2 * Math.PI);
    if (length < (float) (originalLength / highFrequency)) {
      return 1;
    }
    if (length > (float) (originalLength / lowFrequency)) {
      return (float) factor;
    }
    float smooth =
        (1 / length * (float) originalLength - (float) lowFrequency)
            / (float) (highFrequency - lowFrequency);
    return 1 / ((1 - smooth) / (float) factor + smooth);
  }
}
