package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.EvaluationJson;
import dev.murmuration.cli.view.FidelityText;
import dev.murmuration.cli.view.RowProgress;
import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.DataSet;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.ScoredRows;
import dev.murmuration.dataset.ShuffledRows;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.FidelityRun;
import dev.murmuration.evaluation.Judged;
import dev.murmuration.report.FidelityReport;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code murmur fidelity}. */
@Command(
    name = "fidelity",
    header = "Says what quantization or precision does to a model's preferences.",
    description = {
      "",
      "Scores a data set with a reference and with candidates, and counts the pairs of responses"
          + " whose order changes, the rows with another best response, and how much the rewards"
          + " move. The reference itself is run twice, the second time in another order: what"
          + " changes then is noise.",
      "",
      "Example:",
      "  murmur fidelity --reference f16.gguf --candidate q8.gguf --candidate q4.gguf nectar.jsonl",
      "",
      "Behind a file, :exact or :fast chooses its precision."
    })
final class FidelityCommand extends TerminalCommand {
  @Mixin private final JsonOption json = new JsonOption();
  @Mixin private final DataOptions data = new DataOptions();
  @Mixin private final ReportOption report = new ReportOption();
  @Mixin private final ThreadsOption threads = new ThreadsOption();

  @Option(
      names = "--reference",
      paramLabel = "FILE",
      required = true,
      order = 1,
      description = "The GGUF file that the others are compared with.")
  private String reference;

  @Option(
      names = "--candidate",
      paramLabel = "FILE",
      required = true,
      order = 2,
      description = "A GGUF file to compare; may be given several times.")
  private List<String> candidates;

  FidelityCommand(Terminal terminal) {
    super(terminal);
  }

  /** A file and how it is loaded. */
  private record Run(String label, Path file, RewardModelOptions options) {}

  private Run run(String text) throws IOException {
    Precision precision =
        text.endsWith(":exact") ? Precision.EXACT : text.endsWith(":fast") ? Precision.FAST : null;
    String name = precision == null ? text : text.substring(0, text.lastIndexOf(':'));
    if (!Files.isRegularFile(Path.of(name))) {
      throw new IOException(name + " does not exist, or is no file");
    }
    RewardModelOptions options = RewardModelOptions.defaults().threads(threads.count());
    return new Run(text, Path.of(name), precision == null ? options : options.precision(precision));
  }

  @Override
  public Integer call() throws IOException {
    Evaluation.requireLibrary();
    DataQuery query = data.query();
    report.check();
    Run base = run(reference);
    List<Run> others = new ArrayList<>();
    for (String candidate : candidates) {
      others.add(run(candidate));
    }
    passOnLog();
    DataSet set = DataSet.of(query);
    List<FidelityRun> runs = new ArrayList<>();
    List<Judged> first = score(set, base, false, Optional.empty(), runs);
    var _ = score(set, base, true, Optional.of(first), runs);
    for (Run other : others) {
      var _ = score(set, other, false, Optional.of(first), runs);
    }
    if (report.isGiven()) {
      Map<String, String> run = new LinkedHashMap<>();
      run.put("data", String.join(", ", query.files()));
      run.put("schema", set.schema().name());
      run.putAll(query.choice());
      run.put("reference", reference);
      run.put("candidates", String.join(", ", candidates));
      run.put("build", Version.build());
      run.put("date", LocalDate.now(ZoneOffset.UTC).toString());
      FidelityReport page = new FidelityReport(query.names(), runs, run, EvaluationJson.of(runs));
      report.write(page.html(), terminal());
    }
    if (json.json) {
      EvaluationJson.print(runs, terminal());
    } else {
      FidelityText.print(runs, terminal());
    }
    return ExitCode.DONE;
  }

  private List<Judged> score(
      DataSet set,
      Run run,
      boolean shuffled,
      Optional<List<Judged>> reference,
      List<FidelityRun> runs)
      throws IOException {
    List<Judged> rows = new ArrayList<>();
    try (RewardModel model = RewardModel.load(run.file(), run.options())) {
      long start = System.nanoTime();
      RowProgress progress = new RowProgress(terminal(), model, showsProgress());
      RowSource selected = set.selected();
      try (progress;
          RowSource source = shuffled ? new ShuffledRows(selected) : selected;
          ScoredRows scored =
              new ScoredRows(source, row -> Optional.of(set.read(row)), model, false)) {
        for (ScoredRows.Scored row; (row = scored.next()) != null; ) {
          if (row.failure() != null) {
            throw new IOException(row.row().place() + ": " + row.failure().getMessage());
          }
          if (row.example() != null) {
            rows.add(Judged.of(row.row().number(), row.example(), row.rewards()));
            progress.reached(scored.share());
            progress.scored(row.rewards());
          }
        }
      }
      rows.sort(Comparator.comparingLong(Judged::row));
      double seconds = (System.nanoTime() - start) / 1e9;
      runs.add(
          FidelityRun.of(
              run.label() + (shuffled ? ", in another order" : ""),
              Files.size(run.file()),
              seconds,
              model.statistics().tokensAsked(),
              rows,
              reference));
    }
    return rows;
  }
}
