package dev.murmuration.checkpoint;

import dev.murmuration.architecture.Architecture;
import dev.murmuration.architecture.BodyTensor;
import dev.murmuration.architecture.ModelShape;
import dev.murmuration.architecture.RopeScaling;
import dev.murmuration.gguf.GgufValue;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * What {@code config.json} says of a model, in either dialect: {@code rope_theta} and {@code
 * rope_scaling} at the top level, or in {@code rope_parameters}; {@code torch_dtype} or {@code
 * dtype}.
 *
 * @param architecture what the model is made of
 * @param shape its sizes, without its weights; texts are no longer than its window, where one is
 *     not computed
 * @param rope how positions are stretched
 * @param trainedLength tokens the model was trained for
 * @param window the tokens that a layer sees at most, where that is not computed
 * @param ownMetadata what the architecture's converter alone writes
 * @param storedType the number type that the file names, if it does
 * @param bosTokenId begin of text, if the file names it
 * @param eosTokenId end of text, if the file names it
 * @param padTokenId padding, if the file names it
 * @param classes names of the classes that the model was saved from
 */
public record ModelConfig(
    Architecture architecture,
    ModelShape shape,
    RopeScaling rope,
    int trainedLength,
    OptionalInt window,
    Map<String, GgufValue> ownMetadata,
    Optional<String> storedType,
    OptionalInt bosTokenId,
    OptionalInt eosTokenId,
    OptionalInt padTokenId,
    List<String> classes) {

  /** The length of a hidden state. */
  public int hiddenSize() {
    return shape.hiddenSize();
  }

  /** The number of rows of the token embedding. */
  public int vocabularySize() {
    return shape.vocabularySize();
  }

  /** Tokens of the longest text. */
  public int contextLength() {
    return shape.contextLength();
  }

  /** The body's tensors that a checkpoint has to hold, in the order of the GGUF. */
  List<BodyTensor> tensors() {
    return architecture.tensors(shape).stream().filter(BodyTensor::isInCheckpoint).toList();
  }

  /** The tensors that follow from the configuration; names in the GGUF, and numbers. */
  Map<String, float[]> computedTensors() {
    return architecture.computedTensors(shape, rope);
  }

  /** Notes what was decided about the body; texts are cut to {@code maxLength} tokens anyway. */
  void describe(Decisions decisions, int maxLength) {
    decisions.note(
        "architecture",
        architecture.name(),
        architecture.name().equals(architecture.modelType())
            ? ""
            : architecture.modelType() + " has the same layers");
    if (rope.kind() != RopeScaling.Kind.NONE) {
      decisions.note("positions", rope.kind().label(), ropeReason());
    }
    if (window.isPresent()) {
      describeWindow(decisions, window.getAsInt(), maxLength);
    }
  }

  private String ropeReason() {
    return switch (rope.kind()) {
      case NONE, LINEAR -> "";
      case LLAMA3 -> "the divisors of its frequencies are the tensor rope_freqs.weight";
      case DYNAMIC ->
          "changes nothing up to " + contextLength() + " tokens, and longer texts are not taken";
    };
  }

  private void describeWindow(Decisions decisions, int size, int maxLength) {
    String choice = "none, for texts of up to " + contextLength() + " tokens";
    if (size >= trainedLength) {
      decisions.note("attention window", "none", "its " + size + " tokens hold every text");
    } else if (size >= maxLength) {
      decisions.note("attention window", choice, "its " + size + " tokens hold them all");
    } else {
      decisions.warn(
          "attention window",
          choice,
          "a window of "
              + size
              + " tokens is not computed; texts are cut to it, where "
              + maxLength
              + " were asked for");
    }
  }
}
