package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.TensorName;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/**
 * What is in a checkpoint: its configuration and the list of its tensors. Only headers are read,
 * never the tensors' numbers. Immutable, so any number of threads may use it; no file is kept open.
 */
public final class Checkpoint {
  private final Path path;
  private final ModelConfig config;
  private final List<Path> files;
  private final List<Path> inputs;
  private final InputFiles weightFiles;
  private final Map<String, CheckpointTensor> tensorsByName;
  private final List<CheckpointTensor> tensors;
  private final CheckpointFiles whole;
  private final CheckpointFiles head;
  private final Optional<LoraAdapter> adapter;
  private final Path folder;
  private final boolean tied;

  /**
   * A checkpoint.
   *
   * @param whole the files of a whole model
   * @param adapted those of an adapter of it; null if there is none
   */
  private Checkpoint(
      Path path, CheckpointFiles whole, CheckpointFiles adapted, Optional<LoraAdapter> adapter)
      throws IOException {
    this.path = path;
    this.config = ModelConfigReader.read(configFile(whole));
    this.tied = isTied(JsonFile.read(configFile(whole)));
    this.whole = whole;
    this.head = adapted != null && adapted.headFile() != null ? adapted : whole;
    this.adapter = adapter;
    this.weightFiles = new InputFiles();
    Map<String, CheckpointTensor> all = new LinkedHashMap<>(whole.tensors());
    List<Path> read = new ArrayList<>(whole.files());
    List<Path> others = new ArrayList<>(List.of(whole.main(), configFile(whole)));
    weightFiles.addAll(whole.weightFiles());
    if (head.headFile() != null) {
      others.add(head.headFile());
    }
    if (adapted != null) {
      weightFiles.addAll(adapted.weightFiles());
      read.addAll(adapted.files());
      others.add(adapted.adapterConfig());
      replace(all, adapter.orElseThrow().whole());
    }
    this.files = List.copyOf(read);
    this.inputs = Stream.concat(read.stream(), others.stream()).toList();
    this.tensorsByName = Map.copyOf(all);
    this.tensors = List.copyOf(all.values());
    this.folder = folderOf(adapted == null ? whole : adapted);
  }

  private static void replace(
      Map<String, CheckpointTensor> all, List<CheckpointTensor> replacements) {
    Set<String> names = new HashSet<>();
    replacements.forEach(tensor -> names.add(TensorName.bare(tensor.name())));
    all.keySet().removeIf(name -> names.contains(TensorName.bare(name)));
    replacements.forEach(tensor -> all.put(tensor.name(), tensor));
  }

  private static Path folderOf(CheckpointFiles content) {
    return content.files().getFirst().toAbsolutePath().getParent();
  }

  /**
   * Reads a checkpoint's headers.
   *
   * @param path a folder, or one checkpoint file or index of shards with {@code config.json} beside
   *     it
   * @throws BadFileException if a file is missing, damaged, hostile or of a kind that is not
   *     supported; the message names it and says what would help
   * @throws IOException if reading fails
   */
  public static Checkpoint open(Path path) throws IOException {
    return open(path, Optional.empty());
  }

  /**
   * Reads a checkpoint's headers; where it is a LoRA adapter those of its base model, too.
   *
   * @param base the base model of an adapter: a folder, a file or an index
   * @throws BadFileException as {@link #open(Path)}, and if a base is missing or there is nothing
   *     to merge into it
   */
  static Checkpoint open(Path path, Optional<Path> base) throws IOException {
    CheckpointFiles content = new CheckpointFiles(path);
    if (!content.isAdapter()) {
      if (base.isPresent()) {
        throw new BadFileException(
            path,
            "is a whole model and no LoRA adapter, so that base names nothing to merge it to");
      }
      return new Checkpoint(path, content, null, Optional.empty());
    }
    LoraAdapter adapter = LoraAdapter.read(content.adapterConfig(), content.tensors().values());
    CheckpointFiles whole = new CheckpointFiles(base.orElseThrow(adapter::needsBase));
    if (whole.isAdapter()) {
      throw new BadFileException(base.get(), "is a LoRA adapter itself; base names a whole model");
    }
    return new Checkpoint(path, whole, content, Optional.of(adapter));
  }

  /** Without the key, Gemma's embeddings are tied, and those of the other architectures not. */
  private static boolean isTied(JsonNode config) {
    return config
        .path("tie_word_embeddings")
        .asBoolean(config.path("model_type").asText().startsWith("gemma"));
  }

  private static Path configFile(CheckpointFiles content) {
    return content.files().getFirst().resolveSibling("config.json");
  }

  /** The folder or file, as it was named by the caller. */
  public Path path() {
    return path;
  }

  /** The model's sizes, from {@code config.json}. */
  public ModelConfig config() {
    return config;
  }

  /** The files that hold tensors; unmodifiable. */
  public List<Path> files() {
    return files;
  }

  /** All files that were read: weights, index and configuration. */
  List<Path> inputs() {
    return inputs;
  }

  /** All tensors in the order of the files, the unused ones included; unmodifiable. */
  public List<CheckpointTensor> tensors() {
    return tensors;
  }

  /** The tensor with this key, if there is one. */
  public Optional<CheckpointTensor> tensor(String name) {
    return Optional.ofNullable(tensorsByName.get(name));
  }

  /** Checks that the files were neither replaced nor written to since they were opened. */
  void requireUnchanged() throws IOException {
    weightFiles.requireUnchanged();
  }

  /** The adapter that is merged into the tensors, if there is one. */
  Optional<LoraAdapter> adapter() {
    return adapter;
  }

  /**
   * The file beside the checkpoint that holds the value head, an adapter's before its base model's;
   * null if there is none.
   */
  Path headFile() {
    return head.headFile();
  }

  /** What is in it. */
  List<CheckpointTensor> headTensors() {
    return head.headTensors();
  }

  /** Whether a LoRA adapter lies beside a whole model, and is not merged. */
  boolean hasAdapterBeside() {
    return whole.hasAdapterBeside();
  }

  /** The file or index that was named or found. */
  Path main() {
    return whole.main();
  }

  /** Tensors that the index lists and that are not there, with the names of their shards. */
  Map<String, String> absent() {
    return whole.absent();
  }

  /** All of {@code config.json}. */
  JsonNode configJson() throws IOException {
    return JsonFile.read(configFile(whole));
  }

  /** Whether the embedding is the language-model head as well. */
  boolean isTied() {
    return tied;
  }

  /** The folder that holds the files; an adapter's, if there is one. */
  Path folder() {
    return folder;
  }

  /** The folder that holds the tokenizer: an adapter's need not. */
  Path tokenizerFolder() {
    boolean own =
        Files.isRegularFile(folder.resolve("tokenizer.model"))
            || Files.isRegularFile(folder.resolve("tokenizer.json"));
    return own ? folder : folderOf(whole);
  }
}
