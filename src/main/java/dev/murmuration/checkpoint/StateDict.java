package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.architecture.BodyTensor;
import dev.murmuration.files.BadFileException;
import dev.murmuration.model.HeadTensors;
import dev.murmuration.model.HeadWish;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.TensorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Finds the reward model among the tensors of a checkpoint: the body, which may be there under
 * several prefixes, and the value head. A checkpoint with a tensor that is not known is refused.
 */
final class StateDict {
  private static final String EMBEDDING = "embed_tokens.weight";

  /** The language-model head, which a reward does not need. */
  private static final String UNUSED = "lm_head.weight";

  /** Buffers that older versions of transformers saved; they follow from the configuration. */
  private static final String UNUSED_SUFFIX = ".rotary_emb.inv_freq";

  /** What the tensors of quantized checkpoints are called, and how these are called. */
  private static final Map<String, String> QUANTIZED =
      Map.of(
          ".qweight", "GPTQ or AWQ",
          ".qzeros", "GPTQ or AWQ",
          ".weight_packed", "compressed-tensors",
          ".weight_scale", "float8 or int8",
          ".weight_scale_inv", "float8",
          ".weight.absmax", "bitsandbytes",
          ".SCB", "bitsandbytes int8");

  /** Published classes whose networks have a ReLU between their layers. */
  private static final Set<String> RELU_CLASSES =
      Set.of("Qwen2ForRewardModel", "INFORMForSequenceClassification");

  /** The head of trl and of GRM, whose published class has a ReLU, too. */
  private static final String RELU_HEAD = "v_head.summary";

  private static final int MOST_LABELS = 100;

  private final Checkpoint checkpoint;
  private final Decisions decisions;
  private final Map<String, List<CheckpointTensor>> byBareName = new LinkedHashMap<>();
  private final Set<CheckpointTensor> known = new HashSet<>();

  /**
   * A tensor to convert.
   *
   * @param body what it is
   * @param tensor where its numbers are
   * @param copies the same tensor under other prefixes, stored again; the bytes have to be equal
   * @param delta what a LoRA adapter adds to it
   */
  record Source(
      BodyTensor body,
      CheckpointTensor tensor,
      List<CheckpointTensor> copies,
      Optional<LoraDelta> delta) {
    Source(BodyTensor body, CheckpointTensor tensor, List<CheckpointTensor> copies) {
      this(body, tensor, copies, Optional.empty());
    }
  }

  private final List<Source> sources = new ArrayList<>();
  private final HeadTensors head;

  StateDict(Checkpoint checkpoint, HeadWish choice, Decisions decisions) throws IOException {
    this.checkpoint = checkpoint;
    this.decisions = decisions;
    for (CheckpointTensor tensor : checkpoint.tensors()) {
      checkNotQuantized(tensor);
      byBareName
          .computeIfAbsent(TensorName.bare(tensor.name()), key -> new ArrayList<>())
          .add(tensor);
    }
    for (BodyTensor body : checkpoint.config().tensors()) {
      sources.add(source(body));
    }
    if (checkpoint.adapter().isPresent()) {
      checkpoint.adapter().get().requireAllUsed();
      checkpoint.adapter().get().describe(decisions);
    } else if (checkpoint.hasAdapterBeside()) {
      decisions.warn(
          "adapter",
          "not merged",
          "A LoRA adapter lies beside the model, with which transformers loads it; if it is not"
              + " merged yet, put it into a folder of its own and name the model with base(DIR).");
    }
    this.head = findHead(choice);
    for (CheckpointTensor tensor : checkpoint.tensors()) {
      if (!known.contains(tensor) && !isUnused(tensor)) {
        checkUnknown(tensor, choice);
      }
    }
  }

  /** The body's tensors in the order of the GGUF. */
  List<Source> sources() {
    return sources;
  }

  /** The value head. */
  HeadTensors head() {
    return head;
  }

  private List<CheckpointTensor> named(String bareName) {
    return byBareName.getOrDefault(bareName, List.of());
  }

  private Source source(BodyTensor body) throws BadFileException {
    List<CheckpointTensor> found = new ArrayList<>(named(body.name()));
    if (found.isEmpty() && body.name().equals(EMBEDDING) && checkpoint.isTied()) {
      found.addAll(named(UNUSED));
      decisions.note(
          "embedding", UNUSED, "config.json says that both are one, and only this one is stored");
    }
    if (found.isEmpty()) {
      throw missing(body);
    }
    // Starling-RM's own layout has its body twice; the names are in this order.
    found.sort(
        Comparator.comparingInt((CheckpointTensor t) -> t.name().startsWith("transformer.") ? 0 : 1)
            .thenComparingInt(t -> -t.name().length()));
    CheckpointTensor chosen = found.getFirst();
    List<CheckpointTensor> copies = new ArrayList<>();
    for (CheckpointTensor tensor : found) {
      known.add(tensor);
      TensorProblem.requireShape(tensor, body.shape());
      if (!tensor.sharesStorageWith(chosen)) {
        checkSameType(chosen, tensor);
        copies.add(tensor);
      }
    }
    Optional<LoraDelta> delta =
        checkpoint.adapter().isPresent()
            ? checkpoint.adapter().get().delta(body.name(), body.shape())
            : Optional.empty();
    return new Source(body, chosen, List.copyOf(copies), delta);
  }

  private BadFileException missing(BodyTensor body) {
    Optional<Map.Entry<String, String>> listed =
        checkpoint.absent().entrySet().stream()
            .filter(entry -> TensorName.bare(entry.getKey()).equals(body.name()))
            .findFirst();
    return new BadFileException(
        checkpoint.path(),
        "the tensor "
            + body.name()
            + " is missing under each prefix that is known (model., transformer., module. …)"
            + listed
                .map(
                    entry ->
                        "; "
                            + checkpoint.main().getFileName()
                            + " says that it is in "
                            + entry.getValue()
                            + ", but it is not")
                .orElse("")
            + "; is the checkpoint complete, and config.json its own?");
  }

  private HeadTensors findHead(HeadWish choice) throws IOException {
    List<CheckpointTensor> rest =
        checkpoint.tensors().stream()
            .filter(tensor -> !known.contains(tensor))
            .filter(tensor -> choice.tensor().isPresent() || !isUnused(tensor))
            .toList();
    List<CheckpointTensor> beside = checkpoint.headTensors();
    Path where = checkpoint.path();
    if (!beside.isEmpty()) {
      List<CheckpointTensor> both = rest.stream().filter(HeadTensors::isHead).toList();
      if (!both.isEmpty()) {
        throw new BadFileException(
            where,
            "has two value heads, "
                + both.getFirst().name()
                + " and what is in "
                + checkpoint.headFile().getFileName()
                + "; remove one of them");
      }
      where = checkpoint.headFile();
      rest = beside;
    }
    JsonNode config = checkpoint.configJson();
    List<String> labels = labels(config.path("id2label"));
    HeadTensors found =
        HeadTensors.find(where, rest, checkpoint.config().hiddenSize(), choice, labels);
    known.addAll(found.tensors());
    describe(found, config, choice);
    return found;
  }

  /** The names of the outputs from 0 on: a file that was written sorted has 10 before 2. */
  private static List<String> labels(JsonNode byId) {
    List<String> labels = new ArrayList<>();
    while (labels.size() < MOST_LABELS && byId.has("" + labels.size())) {
      labels.add(byId.path("" + labels.size()).asText());
    }
    return labels;
  }

  private void describe(HeadTensors found, JsonNode config, HeadWish choice) {
    String row = choice.row().isPresent() ? ", row " + choice.row().getAsInt() : "";
    String name = found + row;
    if (!found.hasActivation()) {
      decisions.note("head", name);
    } else if (found.name().equals(RELU_HEAD)
        || config
            .path("architectures")
            .valueStream()
            .anyMatch(named -> RELU_CLASSES.contains(named.asText()))) {
      decisions.note("head", name, "with ReLU between its layers, as its published class has it");
    } else {
      decisions.warn(
          "head",
          name,
          "ReLU is assumed between its layers: the checkpoint does not say what is there");
    }
    if (config.path("mean").isNumber() && config.path("std").isNumber()) {
      decisions.warn(
          "normalization",
          "none",
          "config.json has a mean of "
              + config.path("mean")
              + " and a std of "
              + config.path("std")
              + ", with which some programs shift and scale the reward");
    }
  }

  private static boolean isUnused(CheckpointTensor tensor) {
    return TensorName.bare(tensor.name()).equals(UNUSED)
        || tensor.name().endsWith(UNUSED_SUFFIX)
        // peft keeps what a saved module was before it was trained.
        || tensor.name().contains(".original_module.");
  }

  private static void checkSameType(CheckpointTensor chosen, CheckpointTensor copy)
      throws BadFileException {
    if (chosen.type() != copy.type()) {
      throw TensorProblem.of(
          copy, "holds " + copy.type() + " numbers, " + chosen.name() + " holds " + chosen.type());
    }
  }

  private static void checkNotQuantized(CheckpointTensor tensor) throws BadFileException {
    for (Map.Entry<String, String> kind : QUANTIZED.entrySet()) {
      if (tensor.name().endsWith(kind.getKey())) {
        throw TensorProblem.of(
            tensor,
            "belongs to a quantized checkpoint ("
                + kind.getValue()
                + "); take the bf16 checkpoint of this model");
      }
    }
    if (tensor.name().contains(".lora_A.") || tensor.name().contains(".lora_B.")) {
      throw TensorProblem.of(
          tensor,
          "belongs to a LoRA adapter that was saved with its base model and not merged; merge it"
              + " with peft (merge_and_unload(), then save_pretrained) and convert the result");
    }
  }

  /** With a head chosen by name, what is beside it may be another head or another model's part. */
  private void checkUnknown(CheckpointTensor tensor, HeadWish choice) throws BadFileException {
    if (choice.tensor().isPresent() && !TensorName.bare(tensor.name()).startsWith("layers.")) {
      decisions.warn(
          "unused tensor",
          tensor.name(),
          "it is neither of the body nor of the chosen head; a model that needs it gives other"
              + " rewards");
      return;
    }
    throw TensorProblem.of(
        tensor,
        tensor.shape()
            + " belongs to no reward model of the architecture and size that config.json states;"
            + " such a variant is not supported");
  }
}
