package dev.murmuration.model;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufTensor;
import dev.murmuration.gguf.GgufTensorType;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.SeekableByteChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * A GGUF file as a reward model: the transformer, the value head and how to use it. The file is
 * read and checked here and nowhere else. Immutable.
 *
 * @param gguf the file
 * @param shape the transformer's sizes; llama.cpp can load it and compute with it
 * @param head the value head; empty for a GGUF without one, whose head has to come from a file of
 *     its own
 * @param readout which token is read
 * @param template name of the chat template; empty if the file names none
 * @param maxLength tokens of the longest text
 * @param rules what the way from a text to tokens is, beyond the vocabulary
 */
public record ModelFile(
    Gguf gguf,
    ModelShape shape,
    Optional<ValueHead> head,
    ReadoutRule readout,
    Optional<String> template,
    int maxLength,
    TextRules rules) {

  /**
   * Checks a file.
   *
   * @throws BadFileException if llama.cpp could not compute with it, or a {@code reward_model} key
   *     has a value that is wrong or not supported
   */
  public static ModelFile of(Gguf gguf) throws IOException {
    try (FileChannel channel = FileChannel.open(gguf.path(), StandardOpenOption.READ)) {
      return of(gguf, channel, HeadWish.NONE);
    }
  }

  /**
   * Checks a file that lies open.
   *
   * @param channel the file; it stays open, and its position changes
   * @param wish which row of a head that is a tensor of several
   * @throws BadFileException as {@link #of(Gguf)}
   */
  public static ModelFile of(Gguf gguf, SeekableByteChannel channel, HeadWish wish)
      throws IOException {
    ModelShape shape = ModelCheck.check(gguf);
    Optional<ValueHead> head = GgufHead.read(gguf, shape.hiddenSize(), wish, channel);
    return new ModelFile(
        gguf,
        shape,
        head,
        readouts(gguf, shape).own(),
        gguf.string(RewardMetadata.TEMPLATE),
        maxLength(gguf, shape),
        TextRules.of(gguf));
  }

  private static int maxLength(Gguf gguf, ModelShape shape) throws BadFileException {
    int trained = shape.contextLength();
    long length =
        gguf.unsignedInt(RewardMetadata.MAX_LENGTH)
            .orElse(Math.min(RewardMetadata.DEFAULT_MAX_LENGTH, trained));
    if (length < 2 || length > trained) {
      throw gguf.problem(
          RewardMetadata.MAX_LENGTH
              + " is "
              + length
              + " tokens; this model takes 2 to "
              + trained);
    }
    return (int) length;
  }

  /** The file, as it was named by the caller. */
  public Path path() {
    return gguf.path();
  }

  /**
   * The file's own value head.
   *
   * @throws BadFileException if it has none
   */
  public ValueHead requireHead() throws BadFileException {
    return head.orElseThrow(
        () ->
            new BadFileException(
                path(),
                "this is no reward model: it has no value head (metadata key "
                    + RewardMetadata.VALUE_HEAD
                    + "); convert the reward model's own checkpoint, or name the head with"
                    + " valueHead(FILE.safetensors)"));
  }

  /**
   * The read-out of this name instead of the file's own.
   *
   * @throws IllegalArgumentException if there is none, or the file does not fit it
   */
  public ReadoutRule readout(String name) throws BadFileException {
    return readouts(gguf, shape).named(name, readout);
  }

  /** The matrices of the layers, in which most of the weights lie. */
  public List<GgufTensor> matrices() {
    return gguf.tensors().stream()
        .filter(tensor -> tensor.dims().size() == 2 && tensor.name().startsWith("blk."))
        .toList();
  }

  /** The type of most of the weights in {@link #matrices}. */
  public GgufTensorType mainType() {
    Map<GgufTensorType, Long> elements =
        matrices().stream()
            .collect(
                Collectors.groupingBy(
                    GgufTensor::type, Collectors.summingLong(GgufTensor::elements)));
    return elements.entrySet().stream()
        .max(Map.Entry.<GgufTensorType, Long>comparingByValue().thenComparing(Map.Entry::getKey))
        .orElseThrow()
        .getKey();
  }

  private static ReadoutReader readouts(Gguf gguf, ModelShape shape) {
    return new ReadoutReader(gguf, shape.vocabularySize(), shape.contextLength());
  }

  /**
   * Tokens of the longest text that is scored.
   *
   * @param asked the length that the caller wants; 0 for that of the file
   * @throws IllegalArgumentException if it is neither 0 nor between 2 and the length that the model
   *     was trained for
   */
  public int contextLength(int asked) {
    return contextLength(asked, maxLength, shape.contextLength());
  }

  /** Like {@link #contextLength(int)}, for a conversion, where there is no file yet. */
  public static int contextLength(int asked, int maxLength, int trained) {
    if (asked != 0 && (asked < 2 || asked > trained)) {
      throw new IllegalArgumentException(
          "contextLength is " + asked + " tokens; this model takes 2 to " + trained);
    }
    return asked == 0 ? maxLength : asked;
  }
}
