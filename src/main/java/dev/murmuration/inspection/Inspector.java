package dev.murmuration.inspection;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.checkpoint.Checkpoint;
import dev.murmuration.checkpoint.ConversionPlan;
import dev.murmuration.checkpoint.Converter;
import dev.murmuration.files.BadFileException;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.gguf.WeightScan;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.memory.LargestContext;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.model.ModelFile;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.reward.Precision;
import dev.murmuration.tensors.CheckpointTensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.DoubleConsumer;
import java.util.function.Function;
import java.util.function.ToLongFunction;
import java.util.stream.Collectors;

/** Looks at a model without llama.cpp. A problem is part of what is found, not an exception. */
public final class Inspector {
  private final Path path;
  private final ContextRequest request;

  /**
   * An inspector.
   *
   * @param request what a model would be loaded with, on which its need of memory depends
   */
  public Inspector(Path path, ContextRequest request) {
    this.path = path;
    this.request = request;
  }

  /** Memory at each precision for a context length. */
  @FunctionalInterface
  private interface Need {
    MemoryNeed of(ContextRequest request);
  }

  private Map<Precision, MemoryNeed> memory(Need need) {
    Map<Precision, MemoryNeed> needs = new EnumMap<>(Precision.class);
    for (Precision precision : Precision.values()) {
      needs.put(precision, need.of(request.exact(precision == Precision.EXACT)));
    }
    return needs;
  }

  /**
   * Looks at a GGUF file.
   *
   * @param weights whether all weights are read, too
   * @param progress told which share of them has been read
   * @throws IOException if it cannot be read at all
   */
  public Inspection gguf(boolean weights, DoubleConsumer progress) throws IOException {
    Gguf gguf;
    try {
      gguf = GgufReader.read(path);
    } catch (BadFileException e) {
      if (!Files.isRegularFile(path)) {
        throw e;
      }
      return new Inspection(
          path.toString(),
          "gguf",
          Files.size(path),
          e,
          Map.of(),
          0,
          List.of(),
          Map.of(),
          Map.of(),
          List.of());
    }
    Exception problem = null;
    Map<String, Number> shapes = new InspectedMetadata(gguf.metadata()).shapes();
    Map<Precision, MemoryNeed> memory = Map.of();
    try {
      ModelFile model = ModelFile.of(gguf);
      shapes = shapes(model.shape());
      memory = memory(chosen -> LargestContext.need(model, chosen));
      if (weights) {
        problem =
            WeightScan.problem(gguf, progress)
                .map(found -> new BadFileException(path, found))
                .orElse(null);
      }
    } catch (IOException e) {
      problem = e;
    } catch (IllegalArgumentException e) {
      if (request.contextLength() != 0
          || request.cells() != 0
          || request.gpuLayers() > 0
          || request.device() != null) {
        throw e; // What the caller asks for, not what the file says.
      }
      problem = e;
    }
    return new Inspection(
        path.toString(),
        "gguf",
        gguf.fileSize(),
        problem,
        shapes,
        gguf.tensors().stream().mapToLong(tensor -> tensor.elements()).sum(),
        types(gguf.tensors(), tensor -> tensor.type().name(), tensor -> tensor.byteSize()),
        memory,
        gguf.metadata(),
        List.of());
  }

  /**
   * Looks at a checkpoint.
   *
   * @param tokenizer where its tokenizer is, or null for beside it
   * @throws IOException if not even its headers can be read
   */
  public Inspection checkpoint(Path tokenizer) throws IOException {
    Checkpoint checkpoint = Checkpoint.open(path);
    Converter converter = Converter.of(path);
    ConversionPlan plan = null;
    Exception problem = null;
    try {
      plan = (tokenizer == null ? converter : converter.tokenizer(tokenizer)).plan();
    } catch (IOException e) {
      problem = e;
    }
    ModelShape model =
        checkpoint
            .config()
            .shape()
            .weights(plan == null ? 0 : plan.parameters(), plan == null ? 0 : plan.weightBytes());
    int longest = Math.min(RewardMetadata.DEFAULT_MAX_LENGTH, model.contextLength());
    int length = ModelFile.contextLength(request.contextLength(), longest, model.contextLength());
    long bytes = 0;
    for (Path file : checkpoint.files()) {
      bytes += Files.size(file);
    }
    return new Inspection(
        path.toString(),
        "checkpoint",
        bytes,
        problem,
        shapes(model),
        model.parameterCount(),
        types(
            stored(checkpoint.tensors()),
            tensor -> tensor.type().name(),
            CheckpointTensor::byteSize),
        plan == null ? Map.of() : memory(chosen -> LargestContext.need(model, length, chosen)),
        plan == null ? Map.of() : plan.metadata(),
        plan == null ? List.of() : plan.decisions());
  }

  private static Map<String, Number> shapes(ModelShape model) {
    Map<String, Number> shapes = new LinkedHashMap<>();
    shapes.put("hidden_size", (long) model.hiddenSize());
    shapes.put("layers", (long) model.layers());
    shapes.put("heads", (long) model.heads());
    shapes.put("key_value_heads", (long) model.keyValueHeads());
    shapes.put("head_size", (long) model.headSize());
    shapes.put("feed_forward_size", (long) model.feedForwardSize());
    shapes.put("vocabulary_size", (long) model.vocabularySize());
    shapes.put("context_length", (long) model.contextLength());
    if (model.slidingWindow() > 0) {
      shapes.put("sliding_window", (long) model.slidingWindow());
    }
    if (model.softCap() > 0) {
      shapes.put("attention_soft_cap", model.softCap());
    }
    return shapes;
  }

  /** Tensors that share a place are stored once. */
  private static Collection<CheckpointTensor> stored(List<CheckpointTensor> tensors) {
    Map<Map.Entry<Path, Long>, CheckpointTensor> byPlace = new LinkedHashMap<>();
    for (CheckpointTensor tensor : tensors) {
      byPlace.putIfAbsent(Map.entry(tensor.file(), tensor.offset()), tensor);
    }
    return byPlace.values();
  }

  /** The largest share first. */
  private static <T> List<Inspection.TypeShare> types(
      Collection<T> tensors, Function<T, String> type, ToLongFunction<T> bytes) {
    Map<String, List<T>> byType =
        tensors.stream()
            .collect(Collectors.groupingBy(type, LinkedHashMap::new, Collectors.toList()));
    return byType.entrySet().stream()
        .map(
            entry ->
                new Inspection.TypeShare(
                    entry.getKey(),
                    entry.getValue().size(),
                    entry.getValue().stream().mapToLong(bytes).sum()))
        .sorted((a, b) -> Long.compare(b.bytes(), a.bytes()))
        .toList();
  }
}
