package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.BooleanNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.TensorName;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * A LoRA adapter in peft's format: {@code adapter_config.json}, and for each adapted matrix the two
 * factors of what is added to it. What it holds besides, such as a value head, takes the place of
 * the base model's.
 */
final class LoraAdapter {
  /**
   * A factor for a chunk of a matrix is kept in memory: of this rank and 2^18 columns it has 1 GiB,
   * of real models' 30 MiB.
   */
  private static final int MAX_RANK = 1024;

  /** Keys that change what is computed, and the only values with which they do not. */
  private static final Map<String, Set<String>> PLAIN =
      Map.of(
          "fan_in_fan_out", Set.of("false"),
          "lora_bias", Set.of("false"),
          "ensure_weight_tying", Set.of("false"),
          "bias", Set.of("\"none\""),
          "init_lora_weights",
              Set.of("true", "false", "\"gaussian\"", "\"eva\"", "\"orthogonal\""));

  /** Keys that must be absent, null or empty. */
  private static final List<String> EMPTY =
      List.of(
          "layer_replication",
          "target_parameters",
          "trainable_token_indices",
          "alora_invocation_tokens",
          "arrow_config",
          "megatron_config",
          "corda_config");

  /**
   * Keys that are read elsewhere, or say how the adapter was trained: which modules have one, the
   * file's tensors tell. Settings of an initialization count only with an {@code init_lora_weights}
   * that is refused.
   */
  private static final Set<String> KNOWN =
      Set.of(
          "peft_type",
          "peft_version",
          "task_type",
          "auto_mapping",
          "base_model_name_or_path",
          "revision",
          "inference_mode",
          "runtime_config",
          "r",
          "rank_pattern",
          "lora_alpha",
          "alpha_pattern",
          "use_rslora",
          "lora_dropout",
          "target_modules",
          "exclude_modules",
          "modules_to_save",
          "layers_to_transform",
          "layers_pattern",
          "megatron_core",
          "loftq_config",
          "eva_config",
          "qalora_group_size");

  private static final Pattern FACTOR =
      Pattern.compile("(.+)\\.lora_([AB])(?:\\.[A-Za-z0-9_-]+)?\\.weight");

  private final Path file;
  private final JsonNode config;
  private final Map<String, CheckpointTensor> up = new HashMap<>();
  private final Map<String, CheckpointTensor> down = new HashMap<>();
  private final List<CheckpointTensor> whole = new ArrayList<>();
  private final Set<String> used = new TreeSet<>();

  private LoraAdapter(Path file, JsonNode config) {
    this.file = file;
    this.config = config;
  }

  /**
   * Reads an adapter.
   *
   * @throws BadFileException if it is of a kind that cannot be merged here; the message names it
   */
  static LoraAdapter read(Path file, Collection<CheckpointTensor> tensors) throws IOException {
    LoraAdapter adapter = new LoraAdapter(file, JsonFile.read(file));
    adapter.checkKind();
    for (CheckpointTensor tensor : tensors) {
      adapter.add(tensor);
    }
    return adapter;
  }

  private void checkKind() throws BadFileException {
    String type = config.path("peft_type").asText("");
    if (!type.equals("LORA")) {
      throw problem(
          "peft_type is " + BadFileException.quote(type) + ", only \"LORA\" can be merged");
    }
    for (Map.Entry<String, Set<String>> key : PLAIN.entrySet()) {
      JsonNode value = config.path(key.getKey());
      if (config.hasNonNull(key.getKey()) && !key.getValue().contains(value.toString())) {
        throw cannotMerge(key.getKey(), value);
      }
    }
    // Other variants, of which peft gains some with every release, are switched on in the same way.
    for (Map.Entry<String, JsonNode> key : config.properties()) {
      if (key.getKey().startsWith("use_")
          && !key.getKey().equals("use_rslora")
          && !isOff(key.getValue())) {
        throw cannotMerge(key.getKey(), key.getValue());
      }
    }
    for (String key : EMPTY) {
      if (!isOff(config.path(key))) {
        throw cannotMerge(key, config.path(key));
      }
    }
  }

  private static boolean isOff(JsonNode value) {
    return value.isMissingNode()
        || value.isNull()
        || value.equals(BooleanNode.FALSE)
        || (value.isContainerNode() && value.isEmpty());
  }

  /** Notes what is merged, and which keys are not known and may change the result. */
  void describe(Decisions decisions) {
    decisions.note(
        "adapter",
        "merged into its base model, "
            + config.path("base_model_name_or_path").asText("of an unknown name"));
    for (Map.Entry<String, JsonNode> key : config.properties()) {
      String name = key.getKey();
      boolean known = KNOWN.contains(name) || PLAIN.containsKey(name) || EMPTY.contains(name);
      if (!known && !isOff(key.getValue())) {
        decisions.warn(
            "adapter",
            BadFileException.quote(name) + " is not known",
            "adapter_config.json has "
                + BadFileException.quote(key.getValue().toString())
                + " for it, which is not followed; if peft computes with it, "
                + MERGE);
      }
    }
  }

  /** Whether peft puts it into a class of transformers' for sequence classification. */
  boolean isSequenceClassifier() {
    return config.path("task_type").asText("").equals("SEQ_CLS");
  }

  private BadFileException cannotMerge(String key, JsonNode value) {
    return problem(
        key
            + " is "
            + BadFileException.quote(value.toString())
            + ", with which an adapter cannot be merged here; "
            + MERGE);
  }

  private static final String MERGE =
      "merge it with peft (merge_and_unload(), then save_pretrained) and convert the result";

  /** What to do with an adapter whose base model was not named. */
  BadFileException needsBase() {
    String base = config.path("base_model_name_or_path").asText("");
    return problem(
        "this is a LoRA adapter"
            + (base.isEmpty() ? "" : " for the base model " + BadFileException.quote(base))
            + ", not a whole model; it is merged into its base model if you name the folder of that"
            + " one with base(DIR), or "
            + MERGE);
  }

  private void add(CheckpointTensor tensor) throws BadFileException {
    String name = TensorName.bare(tensor.name());
    Matcher factor = FACTOR.matcher(name);
    if (factor.matches()) {
      Map<String, CheckpointTensor> side = factor.group(2).equals("A") ? up : down;
      if (side.put(factor.group(1), tensor) != null) {
        throw TensorProblem.of(tensor, "is there under several names; keep one adapter");
      }
    } else if (name.contains("lora_")) {
      throw TensorProblem.of(tensor, "is of a kind of LoRA that cannot be merged here; " + MERGE);
    } else {
      whole.add(tensor);
    }
  }

  /** What takes the place of the base model's tensors. */
  List<CheckpointTensor> whole() {
    return whole;
  }

  /** The factors of all matrices. */
  List<CheckpointTensor> factors() {
    return Stream.concat(up.values().stream(), down.values().stream()).toList();
  }

  /**
   * What is added to a matrix of the body; empty if it is not adapted.
   *
   * @param name its name in a checkpoint, without a prefix
   * @param shape rows, columns
   */
  Optional<LoraDelta> delta(String name, List<Long> shape) throws BadFileException {
    String module = name.replaceFirst("\\.weight$", "");
    CheckpointTensor first = up.get(module);
    CheckpointTensor second = down.get(module);
    if (first == null && second == null) {
      return Optional.empty();
    }
    if (first == null || second == null) {
      throw TensorProblem.of(
          first == null ? second : first, "is one half of an adapter; the other half is missing");
    }
    used.add(module);
    long rank = first.shape().isEmpty() ? 0 : first.shape().getFirst();
    if (rank < 1 || rank > MAX_RANK) {
      throw TensorProblem.of(
          first, "has the shape " + first.shape() + "; its rank has to be 1 to " + MAX_RANK);
    }
    if (shape.size() != 2) {
      throw TensorProblem.of(first, "adapts " + name + ", which is no matrix");
    }
    TensorProblem.requireShape(first, List.of(rank, shape.get(1)));
    TensorProblem.requireShape(second, List.of(shape.get(0), rank));
    checkRank(first, rank);
    return Optional.of(new LoraDelta(first, second, scale(first, rank)));
  }

  private void checkRank(CheckpointTensor first, long rank) throws BadFileException {
    JsonNode patterns = config.path("rank_pattern");
    if (config.path("r").asLong(-1) != rank
        && patterns.valueStream().noneMatch(value -> value.asLong(-1) == rank)) {
      throw TensorProblem.of(
          first,
          "has rank "
              + rank
              + ", but adapter_config.json says r "
              + config.path("r")
              + (patterns.isEmpty() ? "" : " and rank_pattern " + patterns));
    }
  }

  /** {@code alpha / r}, or by its square root where the adapter says so (rslora). */
  private float scale(CheckpointTensor factor, long rank) throws BadFileException {
    String module = factor.name().replaceFirst("\\.lora_A\\..*", "");
    JsonNode alpha = config.path("lora_alpha");
    boolean found = false;
    for (Map.Entry<String, JsonNode> pattern : config.path("alpha_pattern").properties()) {
      if (!pattern.getKey().matches("[A-Za-z0-9_.]+")) {
        throw cannotMerge("alpha_pattern", config.path("alpha_pattern"));
      }
      // Of several that fit, peft takes the first.
      if (!found && ("." + module).endsWith("." + pattern.getKey())) {
        alpha = pattern.getValue();
        found = true;
      }
    }
    if (!alpha.isNumber() || !Double.isFinite(alpha.doubleValue())) {
      throw problem("lora_alpha is " + BadFileException.quote(alpha.toString()) + ", not a number");
    }
    boolean root = config.path("use_rslora").asBoolean();
    double divisor = (double) rank;
    return (float) (alpha.doubleValue() / (root ? Math.sqrt(divisor) : divisor));
  }

  /** Refuses an adapter of something that the body does not have. */
  void requireAllUsed() throws BadFileException {
    for (Map<String, CheckpointTensor> side : List.of(up, down)) {
      for (Map.Entry<String, CheckpointTensor> entry : side.entrySet()) {
        if (!used.contains(entry.getKey())) {
          throw TensorProblem.of(
              entry.getValue(),
              "adapts "
                  + BadFileException.quote(entry.getKey())
                  + ", which is no matrix of the base model's body; "
                  + MERGE);
        }
      }
    }
  }

  private BadFileException problem(String text) {
    return new BadFileException(file, text);
  }
}
