package dev.murmuration.gguf;

import dev.murmuration.files.BadFileException;
import java.util.Set;

/** What the value under one metadata key may be. */
public sealed interface MetadataRule {

  /** Throws when the value in {@code gguf} under {@code key}, which is present, is not allowed. */
  void check(Gguf gguf, String key) throws BadFileException;

  /** A {@code uint32} within bounds, both allowed. */
  record Uint32(long min, long max) implements MetadataRule {
    @Override
    public void check(Gguf gguf, String key) throws BadFileException {
      long value = gguf.unsignedInt(key).orElseThrow();
      if (value < min || value > max) {
        throw gguf.problem(
            min == max
                ? key + " is " + value + ", only " + min + " is supported"
                : key + " is " + value + ", expected " + min + " to " + max);
      }
    }
  }

  /** A {@code float32} within bounds, both allowed; never NaN. */
  record Float32(float min, float max) implements MetadataRule {
    @Override
    public void check(Gguf gguf, String key) throws BadFileException {
      float value = gguf.float32(key).orElseThrow();
      if (!(value >= min && value <= max)) {
        throw gguf.problem(key + " is " + value + ", expected " + min + " to " + max);
      }
    }
  }

  /** One of some texts. */
  record OneOf(Set<String> allowed) implements MetadataRule {
    @Override
    public void check(Gguf gguf, String key) throws BadFileException {
      String value = gguf.string(key).orElseThrow();
      if (!allowed.contains(value)) {
        throw gguf.problem(
            key
                + " is "
                + BadFileException.quote(value)
                + ", supported is "
                + String.join(", ", allowed.stream().sorted().toList()));
      }
    }
  }

  /** A truth value that has to be true. */
  record True() implements MetadataRule {
    @Override
    public void check(Gguf gguf, String key) throws BadFileException {
      if (!gguf.bool(key).orElseThrow()) {
        throw gguf.problem(key + " is false, only true is supported");
      }
    }
  }

  /** Anything of the right type. */
  record AnyOfType(GgufValueType type) implements MetadataRule {
    @Override
    public void check(Gguf gguf, String key) throws BadFileException {
      GgufValue found = gguf.metadata().get(key);
      if (found.type() != type) {
        throw gguf.wrongType(key, found, type.toString());
      }
    }
  }

  /** An array with elements of the right type. */
  record ArrayOf(GgufValueType elementType) implements MetadataRule {
    @Override
    public void check(Gguf gguf, String key) throws BadFileException {
      GgufValue found = gguf.metadata().get(key);
      if (!(found instanceof GgufArray array && array.elementType() == elementType)) {
        throw gguf.wrongType(key, found, "array of " + elementType);
      }
    }
  }
}
