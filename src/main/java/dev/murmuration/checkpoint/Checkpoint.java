package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.CheckpointTensor;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
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

  private Checkpoint(Path path, ModelConfig config, CheckpointFiles content) {
    this.path = path;
    this.config = config;
    this.files = List.copyOf(content.files());
    this.inputs =
        Stream.concat(files.stream(), Stream.of(content.main(), configFile(content))).toList();
    this.weightFiles = content.weightFiles();
    this.tensorsByName = Map.copyOf(content.tensors());
    this.tensors = List.copyOf(content.tensors().values());
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
    CheckpointFiles content = new CheckpointFiles(path);
    return new Checkpoint(path, ModelConfigReader.read(configFile(content)), content);
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

  /** The folder that holds the files. */
  Path folder() {
    return files.getFirst().toAbsolutePath().getParent();
  }
}
