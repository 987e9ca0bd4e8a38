package dev.murmuration.checkpoint;

import dev.murmuration.gguf.GgufValue;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What a conversion is going to write.
 *
 * @param metadata the GGUF's metadata, tokenizer and value head included; unmodifiable
 * @param parameters numbers in its tensors
 * @param weightBytes bytes of its tensors
 */
public record ConversionPlan(Map<String, GgufValue> metadata, long parameters, long weightBytes) {
  /** Takes an unmodifiable copy of the metadata, in its order. */
  public ConversionPlan {
    metadata = Collections.unmodifiableMap(new LinkedHashMap<>(metadata));
  }
}
