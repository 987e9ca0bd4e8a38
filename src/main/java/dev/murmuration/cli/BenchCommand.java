package dev.murmuration.cli;

import dev.murmuration.bench.BenchHardware;
import dev.murmuration.bench.BenchPart;
import dev.murmuration.bench.BenchResult;
import dev.murmuration.bench.BenchRun;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.BenchBars;
import dev.murmuration.cli.view.BenchJson;
import dev.murmuration.cli.view.BenchTable;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Iterator;
import java.util.List;
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
  private static final int DEFAULT_RESPONSES = 8;
  private static final int MOST_RESPONSES = 1024;
  private static final double MOST_SECONDS = 3600;

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
  private Set<BenchPart> only = EnumSet.allOf(BenchPart.class);

  BenchCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() {
    if (lengths != null && !measures(BenchPart.PREFILL)) {
      throw new IllegalArgumentException(
          "--lengths belongs to prefill, which --only leaves out; leave out one of them");
    }
    if (responses != null && !measures(BenchPart.BEST_OF) && !measures(BenchPart.REUSE)) {
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
    RewardModelOptions options = modelOptions().toOptions();
    BenchRun run =
        new BenchRun(
            only,
            lengths == null ? List.of() : lengths,
            responses(),
            seconds,
            options.microBatchSize(),
            BenchHardware.of(options.gpuLayers(), options.device()));
    BenchResult result =
        run.of(
            model,
            () -> load(false, again -> again.reuse(true)),
            steps -> new BenchBars(terminal(), showsProgress(), steps));
    if (json()) {
      BenchJson.print(result, terminal());
    } else {
      BenchTable.print(result, terminal());
    }
    return ExitCode.DONE;
  }

  private int responses() {
    return responses == null ? DEFAULT_RESPONSES : responses;
  }

  private boolean measures(BenchPart part) {
    return only.contains(part);
  }

  /** Names of parts. */
  static final class PartConverter implements ITypeConverter<BenchPart> {
    @Override
    public BenchPart convert(String value) {
      return Arrays.stream(BenchPart.values())
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
      return Arrays.stream(BenchPart.values()).map(BenchPart::label);
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
