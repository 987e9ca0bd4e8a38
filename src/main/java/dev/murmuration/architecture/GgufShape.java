package dev.murmuration.architecture;

import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;

/** Reads the sizes that a GGUF states in the keys of every architecture. */
final class GgufShape {
  static final String NORM_EPSILON = "attention.layer_norm_rms_epsilon";
  static final String ROPE_BASE = "rope.freq_base";
  static final String VALUE_LENGTH = "attention.value_length";
  static final String ROTATED_LENGTH = "rope.dimension_count";

  /** Where neither a GGUF nor a config.json says another. */
  static final float DEFAULT_ROPE_BASE = 10_000;

  private final String name;
  private final Gguf gguf;

  /**
   * A reader.
   *
   * @param name the architecture's, with which its keys begin
   */
  GgufShape(String name, Gguf gguf) {
    this.name = name;
    this.gguf = gguf;
  }

  private String key(String suffix) {
    return name + "." + suffix;
  }

  /**
   * The sizes of a GGUF whose keys obey the rules; checks that they fit together.
   *
   * @param vocabularySize tokens in its vocabulary
   */
  ModelShape read(int vocabularySize) throws BadFileException {
    int hiddenSize = required(Size.HIDDEN);
    int heads = required(Size.HEADS);
    int keyValueHeads = optional(Size.KEY_VALUE_HEADS, heads);
    if (heads % keyValueHeads != 0) {
      throw gguf.problem(
          key(Size.KEY_VALUE_HEADS.key())
              + " is "
              + keyValueHeads
              + ", which does not divide "
              + key(Size.HEADS.key())
              + " "
              + heads);
    }
    int vocabSize = optional(Size.VOCABULARY, vocabularySize);
    if (vocabSize != vocabularySize) {
      throw gguf.problem(
          key(Size.VOCABULARY.key())
              + " is "
              + vocabSize
              + ", but tokenizer.ggml.tokens has "
              + vocabularySize
              + " tokens");
    }
    return new ModelShape(
        name,
        hiddenSize,
        required(Size.LAYERS),
        heads,
        keyValueHeads,
        headSize(hiddenSize, heads),
        required(Size.FEED_FORWARD),
        vocabularySize,
        required(Size.CONTEXT),
        gguf.float32(key(NORM_EPSILON)).orElseThrow(),
        gguf.float32(key(ROPE_BASE)).orElse(DEFAULT_ROPE_BASE),
        0,
        0,
        gguf.tensor("output.weight").isPresent(),
        gguf.tensors().stream().mapToLong(GgufTensor::elements).sum(),
        gguf.tensors().stream().mapToLong(GgufTensor::byteSize).sum());
  }

  /**
   * The length of a head, which must be even and the same for keys, values and the rotated part.
   */
  private int headSize(int hiddenSize, int heads) throws BadFileException {
    int quotient = hiddenSize / heads;
    int headSize = optional(Size.HEAD, quotient);
    requireEqual(VALUE_LENGTH, quotient, headSize);
    requireEqual(ROTATED_LENGTH, headSize, headSize);
    boolean explicit = gguf.metadata().containsKey(key(Size.HEAD.key()));
    if (headSize < 2 || headSize % 2 != 0 || (!explicit && hiddenSize % heads != 0)) {
      throw gguf.problem(
          key(Size.HIDDEN.key())
              + " "
              + hiddenSize
              + " and "
              + key(Size.HEADS.key())
              + " "
              + heads
              + " give heads of size "
              + headSize
              + ", expected an even whole number");
    }
    return headSize;
  }

  private void requireEqual(String suffix, int defaultValue, int expected) throws BadFileException {
    int value = (int) gguf.unsignedInt(key(suffix)).orElse(defaultValue);
    if (value != expected) {
      throw gguf.problem(
          key(suffix) + " is " + value + ", expected the size of a head, " + expected);
    }
  }

  private int required(Size size) throws BadFileException {
    return (int) gguf.unsignedInt(key(size.key())).orElseThrow();
  }

  private int optional(Size size, int otherwise) throws BadFileException {
    return (int) gguf.unsignedInt(key(size.key())).orElse(otherwise);
  }
}
