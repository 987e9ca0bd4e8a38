package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.SafetensorsFile;
import dev.murmuration.tensors.Sources;
import dev.murmuration.tensors.TensorName;
import dev.murmuration.tensors.TorchFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A value head among the tensors of a checkpoint: one linear layer, or several with an activation
 * between them. Immutable.
 */
public final class HeadTensors {
  /** What heads are called; a layer's name follows, or its number in a network. */
  private static final List<String> NAMES =
      List.of(
          "v_head",
          "score",
          "value_head",
          "reward_head",
          "regression_head",
          "score_head",
          "rm_head",
          "classifier",
          "v_head.summary",
          "cls.output");

  private static final String WEIGHT = ".weight";
  private static final String BIAS = ".bias";
  private static final Pattern NUMBERED = Pattern.compile("(\\d{1,3})\\.weight");

  /** A layer of a 72B model's head has 2^26 numbers. */
  private static final long MOST_NUMBERS = 1L << 27;

  private static final int MOST_NAMED = 12;

  private final String name;
  private final List<Layer> layers;
  private final int row;

  private record Layer(
      CheckpointTensor weight, Optional<CheckpointTensor> bias, Activation activation) {
    int outputs() {
      return weight.shape().size() == 1 ? 1 : Math.toIntExact(weight.shape().getFirst());
    }

    int inputs() {
      return Math.toIntExact(weight.shape().getLast());
    }
  }

  private HeadTensors(String name, List<Layer> layers, int row) {
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
      Path file,
      List<CheckpointTensor> tensors,
      int hiddenSize,
      HeadChoice choice,
      List<String> labels)
      throws BadFileException {
    Finder finder = new Finder(file, tensors, hiddenSize);
    HeadTensors found =
        choice.tensor().isPresent() ? finder.named(choice.tensor().get()) : finder.usual();
    finder.check(found.layers);
    return new HeadTensors(found.name, found.layers, found.row(choice, labels));
  }

  /** Whether a tensor has the name of some head. */
  public static boolean isHead(CheckpointTensor tensor) {
    String bare = TensorName.bare(tensor.name());
    return NAMES.stream().anyMatch(name -> bare.startsWith(name + "."));
  }

  private int row(HeadChoice choice, List<String> labels) throws BadFileException {
    CheckpointTensor last = layers.getLast().weight();
    int rows = layers.getLast().outputs();
    if (choice.row().orElse(0) >= rows) {
      throw new IllegalArgumentException(
          "headRow is "
              + choice.row().getAsInt()
              + "; "
              + last.name()
              + " has "
              + rows
              + (rows == 1 ? " row" : " rows")
              + ", counted from 0");
    }
    if (rows > 1 && choice.row().isEmpty()) {
      throw problem(
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
    return choice.row().orElse(0);
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
  public static ValueHead ofSafetensors(Path file, int hiddenSize, HeadChoice choice)
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
    HeadTensors head = find(file, tensors, hiddenSize, choice, List.of());
    try (Sources sources = new Sources(head.tensors())) {
      ValueHead read = head.read(sources::floats);
      sources.checkWhatWasRead();
      return read;
    }
  }

  /** The tensors that it consists of. */
  public List<CheckpointTensor> tensors() {
    return layers.stream()
        .flatMap(layer -> Stream.concat(Stream.of(layer.weight()), layer.bias().stream()))
        .toList();
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
    for (Layer layer : layers) {
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
        throw problem(tensor, "has " + numbers[i] + " at index " + i + "; the head is damaged");
      }
    }
    return numbers;
  }

  private static BadFileException problem(CheckpointTensor tensor, String text) {
    return new BadFileException(
        tensor.file(), "the tensor " + BadFileException.quote(tensor.name()) + " " + text);
  }

  /** Looks for a head. */
  private static final class Finder {
    private final Path file;
    private final int hiddenSize;
    private final List<CheckpointTensor> tensors;
    private final Map<String, CheckpointTensor> byName = new TreeMap<>();

    Finder(Path file, List<CheckpointTensor> tensors, int hiddenSize) throws BadFileException {
      this.file = file;
      this.tensors = tensors;
      this.hiddenSize = hiddenSize;
      for (CheckpointTensor tensor : tensors) {
        CheckpointTensor other = byName.putIfAbsent(TensorName.bare(tensor.name()), tensor);
        if (other != null && isHead(tensor) && !other.sharesStorageWith(tensor)) {
          throw problem(
              tensor, "is there again as " + BadFileException.quote(other.name()) + "; remove one");
        }
      }
    }

    HeadTensors usual() throws BadFileException {
      List<HeadTensors> heads =
          NAMES.stream().map(this::at).filter(head -> !head.layers.isEmpty()).toList();
      if (heads.size() == 1) {
        return heads.getFirst();
      }
      if (heads.isEmpty()) {
        throw new BadFileException(
            file,
            "has no value head: none of "
                + NAMES.stream().map(n -> n + WEIGHT).collect(Collectors.joining(", "))
                + candidates());
      }
      String found =
          heads.stream()
              .map(head -> head.layers.getFirst().weight().name())
              .collect(Collectors.joining(" and "));
      throw new BadFileException(
          file,
          "has "
              + (heads.size() == 2 ? "two" : heads.size())
              + " value heads, "
              + found
              + "; choose one with headTensor(NAME), or remove the others");
    }

    private String candidates() {
      List<String> fitting =
          tensors.stream()
              .filter(tensor -> !tensor.shape().isEmpty() && tensor.shape().size() <= 2)
              .filter(tensor -> tensor.shape().getLast() == hiddenSize)
              .filter(tensor -> tensor.shape().size() == 2 || !tensor.name().endsWith(BIAS))
              .map(tensor -> BadFileException.quote(tensor.name()) + " " + tensor.shape())
              .toList();
      if (fitting.isEmpty()) {
        return ", nor any other tensor of shape [n, "
            + hiddenSize
            + "]; this is not a reward model";
      }
      return "; these tensors have the shape [n, "
          + hiddenSize
          + "]: "
          + fitting.stream().limit(MOST_NAMED).collect(Collectors.joining(", "))
          + (fitting.size() > MOST_NAMED ? ", …" : "")
          + "; choose the head with headTensor(NAME), or this is not a reward model";
    }

    HeadTensors named(String name) throws BadFileException {
      Optional<CheckpointTensor> exact =
          tensors.stream().filter(tensor -> tensor.name().equals(name)).findFirst();
      if (exact.isPresent()) {
        String bias = name.replaceFirst("(^|\\.)weight$", "$1bias");
        Optional<CheckpointTensor> found =
            tensors.stream()
                .filter(tensor -> tensor.name().equals(bias) && !bias.equals(name))
                .findFirst();
        return new HeadTensors(name, List.of(new Layer(exact.get(), found, Activation.NONE)), 0);
      }
      HeadTensors head = at(TensorName.bare(name.replaceFirst("\\.(weight)?$", "")));
      if (head.layers.isEmpty()) {
        throw new BadFileException(
            file,
            "has no tensor "
                + BadFileException.quote(name)
                + " that could be a head, which headTensor names"
                + candidates());
      }
      return head;
    }

    /** The head whose layers' names begin so; without layers if there is none. */
    private HeadTensors at(String prefix) {
      CheckpointTensor single = byName.get(prefix + WEIGHT);
      if (single != null) {
        Layer layer = new Layer(single, bias(prefix), Activation.NONE);
        return new HeadTensors(prefix, List.of(layer), 0);
      }
      TreeMap<Integer, CheckpointTensor> numbered = new TreeMap<>();
      byName.forEach(
          (key, tensor) -> {
            if (key.startsWith(prefix + ".")) {
              Matcher number = NUMBERED.matcher(key.substring(prefix.length() + 1));
              if (number.matches()) {
                numbered.put(Integer.valueOf(number.group(1)), tensor);
              }
            }
          });
      List<Layer> layers = new ArrayList<>();
      numbered.forEach(
          (number, tensor) -> {
            // Modules without tensors have numbers, too.
            Integer next = numbered.higherKey(number);
            Activation behind =
                next == null || next == number + 1 ? Activation.NONE : Activation.RELU;
            layers.add(new Layer(tensor, bias(prefix + "." + number), behind));
          });
      return new HeadTensors(prefix, layers, 0);
    }

    private Optional<CheckpointTensor> bias(String layer) {
      return Optional.ofNullable(byName.get(layer + BIAS));
    }

    void check(List<Layer> layers) throws BadFileException {
      long inputs = hiddenSize;
      for (Layer layer : layers) {
        CheckpointTensor weight = layer.weight();
        List<Long> shape = weight.shape();
        boolean last = layer.equals(layers.getLast());
        boolean matrix = shape.size() == 2 && shape.getFirst() > 0;
        if (!(matrix || (shape.size() == 1 && last)) || shape.getLast() != inputs) {
          throw problem(
              weight,
              "has the shape "
                  + shape
                  + "; a layer for "
                  + (inputs == hiddenSize ? "hidden states" : "vectors")
                  + " of "
                  + inputs
                  + " numbers has ["
                  + (last ? 1 : "n")
                  + ", "
                  + inputs
                  + "]; take the head that belongs to this model");
        }
        checkNumbers(weight);
        long outputs = matrix ? shape.getFirst() : 1;
        if (layer.bias().isPresent()) {
          CheckpointTensor bias = layer.bias().get();
          checkNumbers(bias);
          if (!bias.shape().equals(List.of(outputs)) && !(outputs == 1 && bias.shape().isEmpty())) {
            throw problem(
                bias, "has the shape " + bias.shape() + ", its weights need [" + outputs + "]");
          }
        }
        inputs = outputs;
      }
    }

    private static void checkNumbers(CheckpointTensor tensor) throws BadFileException {
      if (!tensor.type().isWeight()) {
        throw problem(tensor, tensor.type().refusal());
      }
      if (tensor.elements() > MOST_NUMBERS) {
        throw problem(
            tensor, "has " + tensor.elements() + " numbers, the limit for a head is 2^27");
      }
    }
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
