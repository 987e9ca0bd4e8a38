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
      boolean off = key.getValue().isNull() || key.getValue().equals(BooleanNode.FALSE);
      if (key.getKey().startsWith("use_") && !key.getKey().equals("use_rslora") && !off) {
        throw cannotMerge(key.getKey(), key.getValue());
      }
    }
    for (String key : EMPTY) {
      JsonNode value = config.path(key);
      if (config.hasNonNull(key) && !(value.isContainerNode() && value.isEmpty())) {
        throw cannotMerge(key, value);
      }
    }
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
   * The name of the base model, as the adapter has it, and its scale, for a conversion's summary.
   */
  String describe() {
    return "merged into its base model, "
        + config.path("base_model_name_or_path").asText("of an unknown name");
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
    return Optional.of(new LoraDelta(first, second, scale(module, rank)));
  }

  private void checkRank(CheckpointTensor first, long rank) throws BadFileException {
    boolean patterns = !config.path("rank_pattern").isEmpty();
    if (!patterns && config.path("r").asLong(-1) != rank) {
      throw TensorProblem.of(
          first,
          "has rank " + rank + ", but adapter_config.json says r " + config.path("r").toString());
    }
  }

  /** {@code alpha / r}, or by its square root where the adapter says so (rslora). */
  private float scale(String module, long rank) throws BadFileException {
    JsonNode alpha = config.path("lora_alpha");
    for (Map.Entry<String, JsonNode> pattern : config.path("alpha_pattern").properties()) {
      if (!pattern.getKey().matches("[A-Za-z0-9_.]+")) {
        throw cannotMerge("alpha_pattern", config.path("alpha_pattern"));
      }
      if (("." + module).endsWith("." + pattern.getKey())) {
        alpha = pattern.getValue();
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
