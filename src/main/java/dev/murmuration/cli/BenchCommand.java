package dev.murmuration.cli;

import dev.murmuration.bench.Bench;
import dev.murmuration.bench.BenchArithmetic;
import dev.murmuration.bench.BenchProgress;
import dev.murmuration.bench.BenchResult;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.BenchBars;
import dev.murmuration.cli.view.BenchJson;
import dev.murmuration.cli.view.BenchTable;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.llama.Device;
import dev.murmuration.llama.Hardware;
import dev.murmuration.llama.Llama;
import dev.murmuration.model.ModelFile;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.ITypeConverter;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** {@code murmur bench}. */
@Command(
    name = "bench",
    header = "Measures how fast a model scores on this machine.",
    description = {
      "",
      "Random texts are scored: of several lengths one at a time (prefill), N responses to a prompt"
          + " together and one by one (best-of), short texts (latency), and texts of which the"
          + " model knows a part already (reuse).",
      "",
      "\"of peak\" is the arithmetic that was done, as a share of what the processor reaches here"
          + " with nothing but the instruction that multiplies weights of the model's type. A token"
          + " costs 2 operations for each parameter of the layers' matrices (the last feed-forward"
          + " network only where a reward is read), and 4 x heads x head size a layer for each"
          + " token that attention looks at, which is half the text on average. \"of memory\" is"
          + " the weights that were read, once for each micro-batch, as a share of what a plain"
          + " read of memory reaches; those of a small model stay in the caches, and it may come to"
          + " more than 100 %%.",
      "",
      "tokens/s counts the tokens asked for, computed or not. Times are medians of three"
          + " repetitions or more, unless these would take more than forty times --seconds.",
      "",
      "Examples:",
      "  murmur bench",
      "  murmur bench -m starling-rm.gguf --lengths 512,2048",
      "  murmur bench -m starling-rm.gguf --threads 8 --json"
    })
final class BenchCommand extends ModelCommand {
  private static final List<Integer> DEFAULT_LENGTHS = List.of(64, 512, 2048);
  private static final int DEFAULT_RESPONSES = 8;
  private static final int MOST_RESPONSES = 1024;
  private static final double MOST_SECONDS = 3600;

  /** What can be measured. */
  enum Part {
    PREFILL,
    BEST_OF,
    LATENCY,
    REUSE;

    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  @Option(
      names = "--lengths",
      paramLabel = "N",
      split = ",",
      order = 1,
      description =
          "Lengths of the texts of prefill, in tokens. Default: of 64, 512 and 2048 those that the"
              + " model takes.")
  private List<Integer> lengths;

  @Option(
      names = "--best-of",
      paramLabel = "N",
      order = 2,
      description = "Responses to a prompt. Default: 8.")
  private Integer responses;

  @Option(
      names = "--seconds",
      paramLabel = "S",
      order = 3,
      description = "How long each measurement takes, at least. Default: 0.5.")
  private double seconds = 0.5;

  @Option(
      names = "--only",
      paramLabel = "PART",
      split = ",",
      order = 4,
      converter = PartConverter.class,
      completionCandidates = PartConverter.Names.class,
      description = "Measure only this: prefill, best-of, latency, reuse. Default: all.")
  private Set<Part> only = EnumSet.allOf(Part.class);

  BenchCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() {
    if (lengths != null && !measures(Part.PREFILL)) {
      throw new IllegalArgumentException(
          "--lengths belongs to prefill, which --only leaves out; leave out one of them");
    }
    if (responses != null && !measures(Part.BEST_OF) && !measures(Part.REUSE)) {
      throw new IllegalArgumentException(
          "--best-of belongs to best-of and reuse, which --only leaves out; leave out one of them");
    }
    if (!(seconds > 0 && seconds <= MOST_SECONDS)) {
      throw new IllegalArgumentException(
          "--seconds is " + seconds + "; it takes more than 0, up to 3600");
    }
    if (responses() < 2 || responses() > MOST_RESPONSES) {
      throw new IllegalArgumentException(
          "--best-of is " + responses() + "; it takes 2 to " + MOST_RESPONSES);
    }
    if (lengths != null) {
      for (int length : lengths) {
        if (length < 2) {
          throw new IllegalArgumentException(
              "a length (--lengths) is " + length + "; the least is 2, BOS and a word");
        }
      }
    }
  }

  @Override
  RewardModelOptions adapt(RewardModelOptions options) {
    return options.reuse(false);
  }

  @Override
  int run(RewardModel model) throws IOException {
    List<Integer> chosen = lengths(model.contextLength());
    ModelFile file = ModelFile.of(GgufReader.read(model.file()));
    BenchResult.Subject subject = subject(model, file);
    BenchProgress progress = new BenchBars(terminal(), showsProgress(), steps(chosen.size()));
    RewardModelOptions options = modelOptions().toOptions();
    int microBatch = options.microBatchSize();
    Bench bench = new Bench(model, file, microBatch, seconds, progress);
    List<BenchResult.Prefill> prefill = measures(Part.PREFILL) ? bench.prefill(chosen) : List.of();
    BenchResult.BestOf bestOf = measures(Part.BEST_OF) ? bench.bestOf(responses()) : null;
    BenchResult.Latency latency = measures(Part.LATENCY) ? bench.latency() : null;
    model.close(); // Two at once might not fit into memory.
    BenchResult.Reuse reuse = measures(Part.REUSE) ? reuse(file, microBatch, progress) : null;
    BenchResult.Limits limits = limits(subject, accelerators(options).isEmpty(), progress);
    BenchResult result = new BenchResult(subject, limits, prefill, bestOf, latency, reuse);
    if (json()) {
      BenchJson.print(result, terminal());
    } else {
      BenchTable.print(result, terminal());
    }
    return ExitCode.DONE;
  }

  private BenchResult.Reuse reuse(ModelFile file, int microBatch, BenchProgress progress)
      throws IOException {
    try (RewardModel model = load(false, options -> options.reuse(true))) {
      return new Bench(model, file, microBatch, seconds, progress).reuse(responses());
    }
  }

  /** What the processor reaches, if it is the processor that computes. */
  private BenchResult.Limits limits(
      BenchResult.Subject subject, boolean processorAlone, BenchProgress progress) {
    try (BenchProgress.Step bar = progress.next("peak")) {
      if (!processorAlone) {
        return new BenchResult.Limits(
            Optional.empty(), OptionalDouble.empty(), "a GPU computes, which bench cannot measure");
      }
      Optional<Hardware.Peak> peak = Hardware.peak(subject.type().id(), subject.threads(), seconds);
      bar.accept(0.5);
      return new BenchResult.Limits(
          peak,
          Hardware.memory(subject.threads(), seconds),
          peak.isPresent() ? "" : "bench has no measurement for this kind of processor");
    }
  }

  private int responses() {
    return responses == null ? DEFAULT_RESPONSES : responses;
  }

  private boolean measures(Part part) {
    return only.contains(part);
  }

  private int steps(int prefills) {
    return 1
        + (measures(Part.PREFILL) ? prefills : 0)
        + (measures(Part.BEST_OF) ? 1 : 0)
        + (measures(Part.LATENCY) ? 1 : 0)
        + (measures(Part.REUSE) ? 2 : 0);
  }

  private List<Integer> lengths(int context) {
    if (context < Bench.LEAST_CONTEXT) {
      throw new IllegalArgumentException(
          "the context (--ctx-size) holds "
              + context
              + " tokens; bench takes "
              + Bench.LEAST_CONTEXT
              + " or more");
    }
    if (lengths == null) {
      return DEFAULT_LENGTHS.stream().filter(length -> length <= context).toList();
    }
    for (int length : lengths) {
      if (length > context) {
        throw new IllegalArgumentException(
            "a length (--lengths) is "
                + length
                + " tokens; the context holds "
                + context
                + " (--ctx-size)");
      }
    }
    return lengths;
  }

  private BenchResult.Subject subject(RewardModel model, ModelFile file) {
    return new BenchResult.Subject(
        machine(modelOptions().toOptions()),
        Runtime.getRuntime().availableProcessors(),
        model.threads(),
        model.name(),
        file.shape().parameterCount(),
        BenchArithmetic.mainType(file.gguf()),
        model.precision().label());
  }

  /** The hardware's own names: of the processor, and of what layers are put on. */
  private static String machine(RewardModelOptions options) {
    List<Device> devices = Llama.devices();
    Stream<Device> processors =
        devices.stream().filter(device -> device.kind() == Device.Kind.CPU).limit(1);
    return Stream.concat(processors, accelerators(options).stream())
        .map(device -> Display.visible(device.description()).strip())
        .collect(Collectors.joining(" + "));
  }

  /** What layers are put on, beside the processor. */
  private static List<Device> accelerators(RewardModelOptions options) {
    return Llama.devices().stream()
        .filter(device -> device.kind().takesLayers() && options.gpuLayers() != 0)
        .filter(
            device -> options.device().isEmpty() || options.device().get().equals(device.name()))
        .toList();
  }

  /** Names of parts. */
  static final class PartConverter implements ITypeConverter<Part> {
    @Override
    public Part convert(String value) {
      return Arrays.stream(Part.values())
          .filter(part -> part.label().equals(value))
          .findFirst()
          .orElseThrow(
              () ->
                  new TypeConversionException(
                      "nothing called '"
                          + value
                          + "' to measure; there are "
                          + labels().collect(Collectors.joining(", "))));
    }

    private static Stream<String> labels() {
      return Arrays.stream(Part.values()).map(Part::label);
    }

    /** For the shell's completion. */
    static final class Names implements Iterable<String> {
      @Override
      public Iterator<String> iterator() {
        return labels().iterator();
      }
    }
  }
}
