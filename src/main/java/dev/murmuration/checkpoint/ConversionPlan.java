package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufValue;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What a conversion is going to write.
 *
 * @param metadata the GGUF's metadata, tokenizer and value head included; unmodifiable
 * @param parameters numbers in its tensors
 * @param weightBytes bytes of its tensors
 * @param decisions what was decided, in order; unmodifiable
 * @param examples as those of {@link Conversion}
 */
public record ConversionPlan(
    Map<String, GgufValue> metadata,
    long parameters,
    long weightBytes,
    List<Decision> decisions,
    List<String> examples) {
  /** Takes an unmodifiable copy of the metadata, in its order. */
  public ConversionPlan {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }
}
