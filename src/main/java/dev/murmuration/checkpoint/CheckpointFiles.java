package dev.murmuration.checkpoint;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import dev.murmuration.json.JsonFile;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.SafetensorsFile;
import dev.murmuration.tensors.TorchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Finds the files of a checkpoint and reads the lists of tensors in them. */
final class CheckpointFiles {
  /** In the order in which transformers looks for them. */
  private static final List<String> USUAL_NAMES =
      List.of(
          "model.safetensors",
          "model.safetensors.index.json",
          "pytorch_model.bin",
          "pytorch_model.bin.index.json");

  /** A value head that was saved by itself, as trl and LLaMA-Factory do. */
  private static final List<String> HEAD_NAMES =
      List.of("value_head.safetensors", "v_head.safetensors", "value_head.bin", "v_head.bin");

  private static final List<String> ADAPTER_NAMES =
      List.of("adapter_model.safetensors", "adapter_model.bin");

  /** What trainers leave beside a checkpoint. */
  private static final Pattern NO_CHECKPOINT =
      Pattern.compile(
          "(optimizer|scheduler|training_args|rng_state(_\\d+)?|random_states(_\\d+)?|scaler)"
              + "\\.(bin|pt|pth)");

  private static final Pattern SHARD =
      Pattern.compile("(.+)-(\\d{5})-of-(\\d{5})\\.(safetensors|bin)");

  private static final int MAX_TENSORS = 200_000;
  private static final int MAX_SHARDS = 1000;

  private final Path main;
  private final List<Path> files = new ArrayList<>();
  private final InputFiles weightFiles = new InputFiles();
  private final Map<String, CheckpointTensor> tensors = new LinkedHashMap<>();
  private final Map<String, String> absent = new LinkedHashMap<>();
  private Path headFile;
  private List<CheckpointTensor> headTensors = List.of();

  /** Reads the checkpoint in a folder, a checkpoint file, or the shards that an index lists. */
  CheckpointFiles(Path path) throws IOException {
    this.main = Files.isDirectory(path) ? find(path) : path;
    if (!Files.exists(main)) {
      throw new BadFileException(main, "there is no such file or folder");
    }
    if (!Files.isRegularFile(main)) {
      throw new BadFileException(main, "is not a regular file");
    }
    if (ForeignFile.isGguf(main)) {
      throw new BadFileException(
          main,
          "is a GGUF file, which is what a conversion makes; there is nothing to convert in it");
    }
    Matcher shard = SHARD.matcher(nameOf(main));
    if (nameOf(main).endsWith(".json")) {
      readShards();
    } else if (shard.matches()) {
      readNumbered(shard);
    } else {
      readFile(main);
    }
    readHeadFile();
  }

  /** Whether what was found is a LoRA adapter and not a whole model. */
  boolean isAdapter() {
    return ADAPTER_NAMES.contains(nameOf(main)) && Files.exists(adapterConfig());
  }

  Path adapterConfig() {
    return main.resolveSibling("adapter_config.json");
  }

  /** Whether an adapter lies beside a whole model. */
  boolean hasAdapterBeside() {
    return !isAdapter()
        && Files.exists(adapterConfig())
        && ADAPTER_NAMES.stream().anyMatch(name -> Files.exists(main.resolveSibling(name)));
  }

  /** The file beside the checkpoint that holds the value head; null if there is none. */
  Path headFile() {
    return headFile;
  }

  /** What is in it. */
  List<CheckpointTensor> headTensors() {
    return headTensors;
  }

  /** Tensors that the index lists and that are not there, with the names of their shards. */
  Map<String, String> absent() {
    return absent;
  }

  /** The file that was named or found: one of the {@link #files}, or the index that lists them. */
  Path main() {
    return main;
  }

  List<Path> files() {
    return files;
  }

  InputFiles weightFiles() {
    return weightFiles;
  }

  Map<String, CheckpointTensor> tensors() {
    return tensors;
  }

  private static Path find(Path folder) throws IOException {
    for (String name : USUAL_NAMES) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    List<Path> all;
    try (Stream<Path> entries = Files.list(folder)) {
      all = entries.sorted().toList();
    }
    for (String name : ADAPTER_NAMES) {
      if (Files.isRegularFile(folder.resolve(name))) {
        return folder.resolve(name);
      }
    }
    List<Path> candidates = all.stream().filter(CheckpointFiles::looksLikeCheckpoint).toList();
    List<String> series = candidates.stream().map(CheckpointFiles::series).distinct().toList();
    if (series.size() == 1 && !series.getFirst().isEmpty()) {
      return candidates.getFirst();
    }
    List<String> packed =
        all.stream()
            .map(CheckpointFiles::nameOf)
            .filter(name -> name.matches(".*\\.(gz|tgz|xz|zst|bz2|zip|tar)"))
            .toList();
    if (candidates.isEmpty()) {
      throw new BadFileException(
          folder,
          "holds no checkpoint; looked for "
              + USUAL_NAMES
              + " and *.safetensors, *.bin, *.pt, *.pth"
              + (packed.isEmpty() ? "" : "; unpack " + String.join(", ", packed) + " first"));
    }
    if (candidates.size() > 1) {
      throw new BadFileException(
          folder,
          "holds several checkpoints: "
              + candidates.stream().map(CheckpointFiles::nameOf).toList()
              + "; name the file instead of the folder");
    }
    return candidates.getFirst();
  }

  /** What the names of all shards of a checkpoint have in common; empty for other names. */
  private static String series(Path file) {
    Matcher shard = SHARD.matcher(nameOf(file));
    return shard.matches() ? shard.group(1) + shard.group(3) + shard.group(4) : "";
  }

  private static boolean looksLikeCheckpoint(Path file) {
    String name = nameOf(file);
    return Files.isRegularFile(file)
        && !HEAD_NAMES.contains(name)
        && !NO_CHECKPOINT.matcher(name).matches()
        && (isSafetensors(file)
            || name.endsWith(".bin")
            || name.endsWith(".pt")
            || name.endsWith(".pth"));
  }

  private static boolean isSafetensors(Path file) {
    return nameOf(file).endsWith(".safetensors");
  }

  private static String nameOf(Path file) {
    return String.valueOf(file.getFileName());
  }

  private void readShards() throws IOException {
    JsonNode map = JsonFile.read(main).path("weight_map");
    if (!map.isObject() || map.isEmpty()) {
      throw new BadFileException(main, "has no weight_map; this is not the index of a checkpoint");
    }
    TreeSet<String> shards = new TreeSet<>();
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      shards.add(shardName(entry.getKey(), entry.getValue()));
    }
    for (String shard : shards) {
      readShard(main.resolveSibling(shard));
    }
    for (Map.Entry<String, JsonNode> entry : map.properties()) {
      CheckpointTensor tensor = tensors.get(entry.getKey());
      if (tensor == null) {
        absent.put(entry.getKey(), entry.getValue().textValue());
      } else if (!nameOf(tensor.file()).equals(entry.getValue().textValue())) {
        throw new BadFileException(
            main,
            "says that "
                + BadFileException.quote(entry.getKey())
                + " is in "
                + entry.getValue().textValue()
                + ", but it is not");
      }
    }
  }

  /**
   * The name of a shard, refused unless it is a plain file name: with a path an index could make us
   * read files in other folders.
   */
  private String shardName(String tensor, JsonNode value) throws BadFileException {
    String name = value.isTextual() ? value.textValue() : "";
    if (name.length() > 200
        || !name.matches("[A-Za-z0-9_][A-Za-z0-9_.-]*\\.(safetensors|bin|pt|pth)")) {
      throw new BadFileException(
          main,
          "says that "
              + BadFileException.quote(tensor)
              + " is in "
              + BadFileException.quote(value.toString())
              + ", which is not the name of a checkpoint file in the same folder");
    }
    return name;
  }

  private void readShard(Path shard) throws IOException {
    if (!Files.isRegularFile(shard)) {
      throw new BadFileException(
          shard, "is missing, " + nameOf(main) + " lists it; download all parts of the checkpoint");
    }
    readFile(shard);
  }

  /** Reads the shards of a checkpoint whose index is missing. */
  private void readNumbered(Matcher shard) throws IOException {
    int count = Integer.parseInt(shard.group(3));
    if (count < 1 || count > MAX_SHARDS) {
      throw new BadFileException(
          main, "says that it is one of " + count + " parts, the limit is " + MAX_SHARDS);
    }
    for (int i = 1; i <= count; i++) {
      String name = "%s-%05d-of-%05d.%s".formatted(shard.group(1), i, count, shard.group(4));
      Path part = main.resolveSibling(name);
      if (!Files.isRegularFile(part)) {
        throw new BadFileException(
            part,
            "is missing, part " + i + " of " + count + "; download all parts of the checkpoint");
      }
      readFile(part);
    }
  }

  private void readHeadFile() throws IOException {
    for (String name : HEAD_NAMES) {
      Path file = main.resolveSibling(name);
      if (headFile == null && Files.isRegularFile(file) && !files.contains(file)) {
        headFile = file;
        headTensors = read(file);
      }
    }
  }

  private List<CheckpointTensor> read(Path file) throws IOException {
    try {
      weightFiles.add(file);
      ForeignFile.requireUnpacked(file);
      return isSafetensors(file) ? SafetensorsFile.read(file) : TorchFile.read(file);
    } catch (NoSuchFileException e) {
      throw new BadFileException(file, "is gone", e);
    }
  }

  private void readFile(Path file) throws IOException {
    files.add(file);
    List<CheckpointTensor> found = read(file);
    for (CheckpointTensor tensor : found) {
      if (tensors.put(tensor.name(), tensor) != null) {
        throw new BadFileException(
            file, "the tensor " + BadFileException.quote(tensor.name()) + " is in two files");
      }
    }
    if (tensors.size() > MAX_TENSORS) {
      throw new BadFileException(
          file, "makes more than " + MAX_TENSORS + " tensors, which is the limit");
    }
  }
}
