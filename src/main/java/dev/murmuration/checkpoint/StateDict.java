package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.CheckpointTensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the reward model among the tensors of a checkpoint: the body, which may be there under
 * several prefixes, and the value head. A checkpoint with a tensor that is not known is refused.
 */
final class StateDict {
  /** Prefixes of a body's keys; where several are present the first one is converted. */
  private static final List<String> PREFIXES = List.of("transformer.", "model.model.", "model.");

  private static final List<String> HEADS = List.of("v_head.weight", "score.weight");

  /** Language-model heads, which a reward does not need. */
  private static final Set<String> UNUSED =
      Set.of("lm_head.weight", "model.lm_head.weight", "transformer.lm_head.weight");

  /** Buffers that older versions of transformers saved; they follow from the configuration. */
  private static final String UNUSED_SUFFIX = ".rotary_emb.inv_freq";

  private final Checkpoint checkpoint;
  private final Set<String> known = new HashSet<>(UNUSED);

  /**
   * A tensor to convert.
   *
   * @param body what it is
   * @param tensor where its numbers are
   * @param copies the same tensor under other prefixes, stored again; the bytes have to be equal
   */
  record Source(BodyTensor body, CheckpointTensor tensor, List<CheckpointTensor> copies) {}

  private final List<Source> sources = new ArrayList<>();
  private final CheckpointTensor head;

  StateDict(Checkpoint checkpoint, Decisions decisions) throws BadFileException {
    this.checkpoint = checkpoint;
    for (BodyTensor body : BodyTensor.of(checkpoint.config())) {
      sources.add(source(body));
    }
    this.head = findHead();
    decisions.note("head", head.name());
    for (CheckpointTensor tensor : checkpoint.tensors()) {
      if (!known.contains(tensor.name()) && !tensor.name().endsWith(UNUSED_SUFFIX)) {
        throw unknown(tensor);
      }
    }
  }

  /** The body's tensors in the order of the GGUF. */
  List<Source> sources() {
    return sources;
  }

  /** Whether these are the tensors of Starling-RM's own class. */
  boolean isStarling() {
    return head.name().equals("v_head.weight")
        && sources.getFirst().tensor().name().startsWith("transformer.");
  }

  /** The value head, of shape [1, hidden size]. */
  CheckpointTensor head() {
    return head;
  }

  private Source source(BodyTensor body) throws BadFileException {
    CheckpointTensor chosen = null;
    List<CheckpointTensor> copies = new ArrayList<>();
    for (String prefix : PREFIXES) {
      Optional<CheckpointTensor> found = checkpoint.tensor(prefix + body.name());
      if (found.isPresent()) {
        known.add(found.get().name());
        check(found.get(), body.shape());
        if (chosen == null) {
          chosen = found.get();
        } else if (!found.get().sharesStorageWith(chosen)) {
          checkSameType(chosen, found.get());
          copies.add(found.get());
        }
      }
    }
    if (chosen == null) {
      throw new BadFileException(
          checkpoint.path(),
          "the tensor "
              + body.name()
              + " is missing under each of the prefixes "
              + PREFIXES
              + "; is the checkpoint complete, and config.json its own?");
    }
    return new Source(body, chosen, List.copyOf(copies));
  }

  private CheckpointTensor findHead() throws BadFileException {
    List<CheckpointTensor> heads =
        HEADS.stream().flatMap(name -> checkpoint.tensor(name).stream()).toList();
    if (heads.size() != 1) {
      throw new BadFileException(
          checkpoint.path(),
          heads.isEmpty()
              ? "has neither of the tensors " + HEADS + "; this is not a reward model"
              : "has two value heads, " + HEADS + "; remove one of them");
    }
    check(heads.getFirst(), List.of(1L, (long) checkpoint.config().hiddenSize()));
    known.add(heads.getFirst().name());
    return heads.getFirst();
  }

  private static void check(CheckpointTensor tensor, List<Long> shape) throws BadFileException {
    if (!tensor.shape().equals(shape)) {
      throw problem(tensor, "has the shape " + tensor.shape() + ", config.json asks for " + shape);
    }
    if (!tensor.type().isWeight()) {
      throw problem(tensor, "holds " + tensor.type() + " numbers, expected F32, F16 or BF16");
    }
  }

  private static void checkSameType(CheckpointTensor chosen, CheckpointTensor copy)
      throws BadFileException {
    if (chosen.type() != copy.type()) {
      throw problem(
          copy, "holds " + copy.type() + " numbers, " + chosen.name() + " holds " + chosen.type());
    }
  }

  private static BadFileException unknown(CheckpointTensor tensor) {
    Path file = tensor.file();
    return new BadFileException(
        file,
        "the tensor "
            + BadFileException.quote(tensor.name())
            + " "
            + tensor.shape()
            + " belongs to no Llama reward model of the size that config.json states; such a"
            + " variant is not supported");
  }

  static BadFileException problem(CheckpointTensor tensor, String text) {
    return new BadFileException(
        tensor.file(), "the tensor " + BadFileException.quote(tensor.name()) + " " + text);
  }
}
