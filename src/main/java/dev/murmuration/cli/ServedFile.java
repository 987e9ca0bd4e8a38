package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.OpenModelFile;
import dev.murmuration.machine.FreeMemory;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.memory.ContextSizes;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.model.HeadChoice;
import dev.murmuration.model.ModelFile;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.server.ServedModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Function;
import picocli.CommandLine.TypeConversionException;

/**
 * A model that is served.
 *
 * @param name by which requests ask for it
 * @param file null for the embedded one
 */
record ServedFile(String name, Path file) {
  /**
   * Those that -m gives, else the environment's, else the embedded one.
   *
   * @throws IllegalArgumentException if two have one name
   */
  static List<ServedFile> all(List<String> given) throws IOException {
    List<ServedFile> files = new ArrayList<>();
    for (String one : given) {
      files.add(of(one));
    }
    if (files.isEmpty()) {
      Path named = new ModelOptions().file();
      files.add(named == null ? new ServedFile("fledgling", null) : of(named.toString()));
    }
    Set<String> names = new HashSet<>();
    for (ServedFile file : files) {
      if (!names.add(file.name)) {
        throw new IllegalArgumentException(
            "two models are called " + file.name + "; give one another name with -m NAME=FILE");
      }
    }
    return files;
  }

  private static ServedFile of(String given) {
    int end = given.indexOf('=');
    if (end > 0 && Files.notExists(Path.of(given))) {
      return new ServedFile(given.substring(0, end), path(given.substring(end + 1)));
    }
    Path file = path(given);
    Path last = file.getFileName();
    return new ServedFile(
        (last == null ? given : last.toString()).replaceFirst("\\.gguf$", ""), file);
  }

  private static Path path(String given) {
    try {
      return new FileName().convert(given);
    } catch (TypeConversionException e) {
      throw new IllegalArgumentException("-m: " + e.getMessage(), e);
    }
  }

  /**
   * Checks that there is memory for all of them together, before one is loaded: each alone would
   * find enough.
   *
   * @throws IllegalArgumentException if there is not; the message has what each one needs
   */
  static void requireMemory(List<ServedFile> files, ContextRequest request) throws IOException {
    requireMemory(files, request, FreeMemory.bytes());
  }

  /** The same, with so many bytes that are free. */
  static void requireMemory(List<ServedFile> files, ContextRequest request, long available)
      throws IOException {
    long needed = 0;
    List<String> needs = new ArrayList<>();
    for (ServedFile one : files) {
      long bytes = one.file == null ? 0 : one.need(request);
      needed += bytes;
      needs.add(one.name + " " + mebibytes(bytes) + " MiB");
    }
    if (needed > available) {
      throw new IllegalArgumentException(
          "the models need "
              + mebibytes(needed)
              + " MiB together beside their mapped files ("
              + String.join(", ", needs)
              + "), and "
              + mebibytes(available)
              + " MiB are free; serve fewer, or lower --ctx-size or --ubatch-size");
    }
  }

  private long need(ContextRequest request) throws IOException {
    GgufReader.requireFile(file);
    try (OpenModelFile open = OpenModelFile.open(file)) {
      ModelFile model = ModelFile.of(GgufReader.read(file, open), open, HeadChoice.NONE);
      MemoryNeed need = ContextSizes.need(model, request);
      return need.total() - (request.memoryMap() ? need.weights() : 0);
    }
  }

  private static long mebibytes(long bytes) {
    return Math.ceilDiv(bytes, 1L << 20);
  }

  /** Loads it, with a bar on the terminal. */
  ServedModel load(
      RewardModelOptions options, Function<String, LoadProgress> progress, Terminal terminal)
      throws IOException {
    if (file == null) {
      terminal.note("neither -m nor MURMUR_MODEL given: using the small embedded model, fledgling");
      return new ServedModel(name, () -> RewardModel.loadEmbedded(options));
    }
    return new ServedModel(
        name,
        () -> {
          try (LoadProgress bar = progress.apply("Loading " + file.getFileName())) {
            return RewardModel.load(file, options.progress(bar));
          }
        });
  }
}
