package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.SafetensorsFile;
import dev.murmuration.tensors.Sources;
import dev.murmuration.tensors.TorchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/**
 * A value head among the tensors of a checkpoint: one linear layer, or several with an activation
 * between them. Immutable.
 */
public final class HeadTensors {
  private static final int MOST_NAMED = 12;

  private final String name;
  private final List<HeadLayer> layers;
  private final int row;

  private HeadTensors(String name, List<HeadLayer> layers, int row) {
    this.name = name;
    this.layers = List.copyOf(layers);
    this.row = row;
  }

  /**
   * Finds the head.
   *
   * @param file what holds the tensors, for messages
   * @param tensors those that are not the body's
   * @param hiddenSize the length of a hidden state
   * @param labels the names of the outputs, if they are known
   * @throws BadFileException if there is none, or none can be told, or it does not fit
   */
  public static HeadTensors find(
      Path file, List<CheckpointTensor> tensors, int hiddenSize, HeadWish wish, List<String> labels)
      throws BadFileException {
    HeadSearch search = new HeadSearch(file, tensors, hiddenSize);
    HeadSearch.Found found =
        wish.tensor().isPresent() ? search.named(wish.tensor().get()) : search.usual();
    HeadLayer.check(found.layers(), hiddenSize);
    int row = row(found.layers().getLast(), wish, labels);
    return new HeadTensors(found.name(), found.layers(), row);
  }

  /** Whether a tensor has the name of some head. */
  public static boolean isHead(CheckpointTensor tensor) {
    return HeadSearch.isHead(tensor);
  }

  private static int row(HeadLayer layer, HeadWish wish, List<String> labels)
      throws BadFileException {
    CheckpointTensor last = layer.weight();
    int rows = layer.outputs();
    if (wish.row().orElse(0) >= rows) {
      throw new IllegalArgumentException(
          "headRow is "
              + wish.row().getAsInt()
              + "; "
              + last.name()
              + " has "
              + rows
              + (rows == 1 ? " row" : " rows")
              + ", counted from 0");
    }
    if (rows > 1 && wish.row().isEmpty()) {
      throw HeadLayer.problem(
          last,
          "has the shape "
              + last.shape()
              + ": this is a classifier of "
              + rows
              + " labels"
              + named(labels)
              + ", not a reward model, which has one output; if one of them is the reward, choose"
              + " its row with headRow(N), 0 to "
              + (rows - 1));
    }
    return wish.row().orElse(0);
  }

  private static String named(List<String> labels) {
    if (labels.isEmpty()) {
      return "";
    }
    return labels.stream()
        .limit(MOST_NAMED)
        .map(BadFileException::quote)
        .collect(Collectors.joining(", ", " (", labels.size() > MOST_NAMED ? ", …)" : ")"));
  }

  /**
   * The head in a file of safetensors or, by its name ({@code .bin}, {@code .pt}, {@code .pth}), of
   * {@code torch.save}: under one of the names that heads usually have; F32, F16 or BF16.
   *
   * @throws IOException if the file has no such tensor, or its shape or type does not fit
   */
  public static ValueHead ofSafetensors(Path file, int hiddenSize, HeadWish wish)
      throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new BadFileException(
          file,
          (Files.exists(file) ? "is not a file" : "does not exist")
              + "; valueHead names a safetensors file");
    }
    ForeignFile.requireUnpacked(file);
    List<CheckpointTensor> tensors =
        file.toString().matches(".*\\.(bin|pt|pth)")
            ? TorchFile.read(file)
            : SafetensorsFile.read(file);
    HeadTensors head = find(file, tensors, hiddenSize, wish, List.of());
    try (Sources sources = new Sources(head.tensors())) {
      ValueHead read = head.read(sources::floats);
      sources.checkWhatWasRead();
      return read;
    }
  }

  /** The tensors that it consists of. */
  public List<CheckpointTensor> tensors() {
    return layers.stream().flatMap(HeadLayer::tensors).toList();
  }

  /** What its tensors' names begin with. */
  public String name() {
    return name;
  }

  /** Whether it has an activation, which no tensor tells: ReLU is what published heads have. */
  public boolean hasActivation() {
    return layers.stream().anyMatch(layer -> layer.activation() != Activation.NONE);
  }

  /** Reads the numbers of a tensor. */
  @FunctionalInterface
  public interface Numbers {
    float[] of(CheckpointTensor tensor) throws IOException;
  }

  /**
   * Reads its numbers.
   *
   * @throws BadFileException if one is not finite
   */
  public ValueHead read(Numbers sources) throws IOException {
    List<ValueHead.Layer> read = new ArrayList<>();
    for (HeadLayer layer : layers) {
      boolean last = layer.equals(layers.getLast());
      float[] weights = finite(sources, last ? cut(layer.weight()) : layer.weight());
      float[] bias = new float[last ? 1 : layer.outputs()];
      if (layer.bias().isPresent()) {
        float[] all = finite(sources, layer.bias().get());
        bias = last ? new float[] {all[row]} : all;
      }
      read.add(new ValueHead.Layer(weights, bias, layer.activation()));
    }
    return new ValueHead(read);
  }

  /** The row that is the reward. */
  private CheckpointTensor cut(CheckpointTensor weight) {
    long columns = weight.shape().getLast();
    return new CheckpointTensor(
        weight.name(),
        weight.type(),
        List.of(1L, columns),
        weight.file(),
        weight.offset() + row * columns * weight.type().byteSize(),
        weight.stored());
  }

  private static float[] finite(Numbers sources, CheckpointTensor tensor) throws IOException {
    float[] numbers = sources.of(tensor);
    for (int i = 0; i < numbers.length; i++) {
      if (!Float.isFinite(numbers[i])) {
        throw HeadLayer.problem(
            tensor, "has " + numbers[i] + " at index " + i + "; the head is damaged");
      }
    }
    return numbers;
  }

  @Override
  public String toString() {
    return layers.stream().map(layer -> layer.weight().name()).collect(Collectors.joining(", "))
        + ", "
        + layers.getFirst().inputs()
        + " to "
        + layers.getLast().outputs();
  }
}
