package dev.murmuration.model;

import dev.murmuration.files.BadFileException;
import dev.murmuration.tensors.CheckpointTensor;
import dev.murmuration.tensors.TensorName;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/** Looks for the value head among the tensors of a checkpoint. */
final class HeadSearch {
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

  private static final int MOST_NAMED = 12;

  /**
   * What the names of a head's tensors begin with, and its layers, of which there is one or more.
   */
  record Found(String name, List<HeadLayer> layers) {}

  private final Path file;
  private final int hiddenSize;
  private final List<CheckpointTensor> tensors;
  private final Map<String, CheckpointTensor> byName = new TreeMap<>();

  HeadSearch(Path file, List<CheckpointTensor> tensors, int hiddenSize) throws BadFileException {
    this.file = file;
    this.tensors = tensors;
    this.hiddenSize = hiddenSize;
    for (CheckpointTensor tensor : tensors) {
      CheckpointTensor other = byName.putIfAbsent(TensorName.bare(tensor.name()), tensor);
      if (other != null && isHead(tensor) && !other.sharesStorageWith(tensor)) {
        throw HeadLayer.problem(
            tensor, "is there again as " + BadFileException.quote(other.name()) + "; remove one");
      }
    }
  }

  /** Whether a tensor has the name of some head. */
  static boolean isHead(CheckpointTensor tensor) {
    String bare = TensorName.bare(tensor.name());
    return NAMES.stream().anyMatch(name -> bare.startsWith(name + "."));
  }

  /**
   * The only head that has one of the usual names.
   *
   * @throws BadFileException if there is none, or more than one
   */
  Found usual() throws BadFileException {
    List<Found> heads =
        NAMES.stream().map(this::at).filter(head -> !head.layers().isEmpty()).toList();
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
            .map(head -> head.layers().getFirst().weight().name())
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
      return ", nor any other tensor of shape [n, " + hiddenSize + "]; this is not a reward model";
    }
    return "; these tensors have the shape [n, "
        + hiddenSize
        + "]: "
        + fitting.stream().limit(MOST_NAMED).collect(Collectors.joining(", "))
        + (fitting.size() > MOST_NAMED ? ", …" : "")
        + "; choose the head with headTensor(NAME), or this is not a reward model";
  }

  /**
   * The head whose weights have this name, or whose layers' names begin with it.
   *
   * @throws BadFileException if there is none
   */
  Found named(String name) throws BadFileException {
    Optional<CheckpointTensor> exact =
        tensors.stream().filter(tensor -> tensor.name().equals(name)).findFirst();
    if (exact.isPresent()) {
      String bias = name.replaceFirst("(^|\\.)weight$", "$1bias");
      Optional<CheckpointTensor> found =
          tensors.stream()
              .filter(tensor -> tensor.name().equals(bias) && !bias.equals(name))
              .findFirst();
      return new Found(name, List.of(new HeadLayer(exact.get(), found, Activation.NONE)));
    }
    Found head = at(TensorName.bare(name.replaceFirst("\\.(weight)?$", "")));
    if (head.layers().isEmpty()) {
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
  private Found at(String prefix) {
    CheckpointTensor single = byName.get(prefix + WEIGHT);
    if (single != null) {
      HeadLayer layer = new HeadLayer(single, bias(prefix), Activation.NONE);
      return new Found(prefix, List.of(layer));
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
    List<HeadLayer> layers = new ArrayList<>();
    numbered.forEach(
        (number, tensor) -> {
          // Modules without tensors have numbers, too.
          Integer next = numbered.higherKey(number);
          Activation behind =
              next == null || next == number + 1 ? Activation.NONE : Activation.RELU;
          layers.add(new HeadLayer(tensor, bias(prefix + "." + number), behind));
        });
    return new Found(prefix, layers);
  }

  private Optional<CheckpointTensor> bias(String layer) {
    return Optional.ofNullable(byName.get(layer + BIAS));
  }
}
