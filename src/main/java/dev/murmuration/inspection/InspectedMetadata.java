package dev.murmuration.inspection;

import dev.murmuration.gguf.GgufArray;
import dev.murmuration.gguf.GgufValue;
import dev.murmuration.gguf.GgufValueType;
import dev.murmuration.model.RewardMetadata;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Metadata of a file that may be damaged: what is missing or of another type is left out and not
 * complained about, because the check of the whole file does that.
 */
public record InspectedMetadata(Map<String, GgufValue> values) {
  private static final String TOKENIZER = "tokenizer.ggml.";
  private static final int MOST_LAYERS = 8;
  private static final String TOKEN_ID = "_token_id";

  /**
   * Statistics of a value head.
   *
   * @param length weights
   * @param norm Euclidean norm
   */
  public record Head(int length, double least, double most, double mean, double norm) {}

  /** The text under a key, or null. */
  public String text(String key) {
    return values.get(key) instanceof GgufValue.Str(String value) ? value : null;
  }

  /** The number under a key, or null. */
  public Long number(String key) {
    return values.get(key) instanceof GgufValue.Whole whole ? (Long) whole.value() : null;
  }

  /** The truth value under a key, or null. */
  public Boolean flag(String key) {
    return values.get(key) instanceof GgufValue.Bool(boolean value) ? (Boolean) value : null;
  }

  /** The sizes, under the names that they have in Java. */
  Map<String, Number> shapes() {
    Map<String, Number> shapes = new LinkedHashMap<>();
    String prefix = text("general.architecture") + ".";
    put(shapes, "hidden_size", prefix + "embedding_length");
    put(shapes, "layers", prefix + "block_count");
    put(shapes, "heads", prefix + "attention.head_count");
    put(shapes, "key_value_heads", prefix + "attention.head_count_kv");
    put(shapes, "head_size", prefix + "attention.key_length");
    put(shapes, "feed_forward_size", prefix + "feed_forward_length");
    put(shapes, "vocabulary_size", prefix + "vocab_size");
    put(shapes, "context_length", prefix + "context_length");
    put(shapes, "sliding_window", prefix + "attention.sliding_window");
    if (values.get(prefix + "attn_logit_softcapping") instanceof GgufValue.Float32(float cap)) {
      shapes.put("attention_soft_cap", cap);
    }
    return shapes;
  }

  private void put(Map<String, Number> shapes, String name, String key) {
    if (number(key) != null) {
      shapes.put(name, number(key));
    }
  }

  /** The value head, or null. */
  public Head head() {
    if (!(values.get(RewardMetadata.VALUE_HEAD) instanceof GgufArray array)
        || array.elementType() != GgufValueType.FLOAT32
        || array.size() == 0) {
      return null;
    }
    double least = Double.POSITIVE_INFINITY;
    double most = Double.NEGATIVE_INFINITY;
    double sum = 0;
    double squares = 0;
    for (float weight : array.floats()) {
      least = Math.min(least, weight);
      most = Math.max(most, weight);
      sum += weight;
      squares += (double) weight * weight;
    }
    return new Head(array.size(), least, most, sum / array.size(), Math.sqrt(squares));
  }

  /** The layers of a value head that is a network, in words; or null. */
  public String network() {
    Long layers = number(RewardMetadata.VALUE_HEAD_LAYERS);
    if (layers == null) {
      return null;
    }
    List<String> shown = new ArrayList<>();
    for (int layer = 0; layer < Math.min(MOST_LAYERS, layers); layer++) {
      String activation = text("reward_model.value_head." + layer + ".activation");
      shown.add(shape(layer) + (activation == null ? "" : ", " + activation));
    }
    String file = text(RewardMetadata.VALUE_HEAD_FILE);
    return "network of "
        + layers
        + " layers: "
        + String.join("; ", shown)
        + (file == null ? "" : "; numbers in " + file);
  }

  private String shape(int layer) {
    return values.get("reward_model.value_head." + layer + ".shape") instanceof GgufArray array
            && array.elementType() == GgufValueType.INT32
            && array.size() == 2
        ? array.ints()[1] + " to " + array.ints()[0]
        : "linear";
  }

  /** Number of tokens, or null. */
  public Integer tokens() {
    return values.get(TOKENIZER + "tokens") instanceof GgufArray array
        ? (Integer) array.size()
        : null;
  }

  /** Ids of tokens that mean something special, by their names, such as {@code bos}. */
  public Map<String, Long> tokenIds() {
    Map<String, Long> ids = new LinkedHashMap<>();
    for (String key : values.keySet()) {
      if (key.startsWith(TOKENIZER) && key.endsWith(TOKEN_ID) && number(key) != null) {
        ids.put(key.substring(TOKENIZER.length(), key.length() - TOKEN_ID.length()), number(key));
      }
    }
    return ids;
  }
}
