package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.EvaluationJson;
import dev.murmuration.cli.view.EvaluationText;
import dev.murmuration.cli.view.RowProgress;
import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.DataSet;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.ReferenceScores;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowSelection;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.Schemas;
import dev.murmuration.dataset.ScoredRows;
import dev.murmuration.evaluation.Agreement;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.Judged;
import dev.murmuration.report.EvaluationReport;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.nio.file.Path;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code murmur eval}. */
@Command(
    name = "eval",
    header = "Says how well a model agrees with what people prefer in a data set.",
    description = {
      "",
      "Accuracy over pairs with 95 %% intervals (Wilson; and by prompt, bootstrap), by subset,"
          + " domain or source, and by the rules of RewardBench, RewardBench 2 and RM-Bench where"
          + " the data is theirs; calibration; the order of whole rows; bias towards length and"
          + " Markdown.",
      "",
      "Examples:",
      "  murmur eval -m rm.gguf rewardbench.parquet",
      "  murmur eval -m rm.gguf nectar.jsonl --sample 2000 --json",
      "  murmur eval -m rm.gguf rewardbench.parquet --reference eval-set-scores/MODEL.json"
    })
final class EvalCommand extends ScoringCommand {
  @Mixin private final DataOptions data = new DataOptions();

  @Mixin private final ReportOption report = new ReportOption();

  private static final int WORST = 10;

  @Option(
      names = "--reference",
      paramLabel = "FILE",
      order = 20,
      description =
          "Results in RewardBench's eval-set-scores/*.json: says how far the rewards agree with"
              + " them, pair by pair.")
  private Path reference;

  private DataQuery query;
  private Optional<ReferenceScores> scores = Optional.empty();

  EvalCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    Evaluation.requireLibrary();
    query = data.query();
    report.check();
    if (reference != null) {
      scores = Optional.of(ReferenceScores.read(reference));
    }
  }

  @Override
  int run(RewardModel model) throws IOException {
    DataSet set = DataSet.of(query);
    if (Schemas.isPlain(set.schema())) {
      throw new IllegalArgumentException(
          "rows of the schema "
              + set.schema().name()
              + " do not say which of two responses is preferred, so there is nothing to compare"
              + " with; 'murmur batch' scores them");
    }
    List<Judged> rows = new ArrayList<>();
    RowProgress progress = new RowProgress(terminal(), model, showsProgress());
    RowSelection selection = set.select();
    try (progress;
        RowSource source = set.open();
        ScoredRows scored = new ScoredRows(selection.until(source), selection, model, timed())) {
      progress.started(set.schema().name(), set.first());
      for (ScoredRows.Scored row; (row = scored.next()) != null; ) {
        if (row.failure() != null) {
          progress.failed(row.row(), row.failure());
        } else if (row.example() != null) {
          rows.add(Judged.of(row.row().number(), row.example(), row.rewards()));
          progress.reached(scored.share());
          progress.scored(row.rewards());
        }
      }
    }
    progress.summary();
    Evaluation found = Evaluation.of(set.schema().name(), rows);
    Evaluation evaluation =
        scores.map(known -> found.with(Agreement.of(rows, known))).orElse(found);
    if (report.isGiven()) {
      writeReport(model, set, evaluation, rows);
    }
    if (json()) {
      EvaluationJson.print(evaluation, terminal());
    } else {
      EvaluationText.print(evaluation, terminal());
    }
    return progress.failures() > 0 ? ExitCode.SOME_ROWS_FAILED : ExitCode.DONE;
  }

  private void writeReport(RewardModel model, DataSet set, Evaluation evaluation, List<Judged> rows)
      throws IOException {
    Map<String, String> run = new LinkedHashMap<>();
    run.put("model", model.name());
    run.put("template", model.template().name());
    run.put("precision", model.precision().label());
    run.put("longest text", model.contextLength() + " tokens");
    run.put("data", String.join(", ", query.files()));
    run.put("schema", set.schema().name());
    run.putAll(query.choice());
    run.put("build", Version.build());
    run.put("date", LocalDate.now(ZoneOffset.UTC).toString());
    EvaluationReport page =
        new EvaluationReport(
            model.name(),
            query.names(),
            evaluation,
            rows,
            run,
            disagreements(set, Evaluation.worst(rows, WORST)),
            EvaluationJson.of(evaluation));
    report.write(page.html(), terminal());
  }

  /** A place without the folders of its file. */
  private static String place(String place) {
    return place.substring(place.lastIndexOf('/') + 1);
  }

  /** The texts of the worst pairs, for which the data is read once more. */
  private static List<EvaluationReport.Disagreement> disagreements(
      DataSet set, List<Evaluation.Disagreement> worst) throws IOException {
    Map<Long, Example> examples = new HashMap<>();
    Map<Long, String> places = new HashMap<>();
    Set<Long> wanted = new HashSet<>();
    worst.forEach(pair -> wanted.add(pair.row().row()));
    try (RowSource source = set.open()) {
      for (Row row; examples.size() < wanted.size() && (row = source.next()) != null; ) {
        if (wanted.contains(row.number())) {
          examples.put(row.number(), set.read(row));
          places.put(row.number(), place(row.place()));
        }
      }
    }
    List<EvaluationReport.Disagreement> pairs = new ArrayList<>();
    for (Evaluation.Disagreement pair : worst) {
      Example example = examples.get(pair.row().row());
      pairs.add(
          new EvaluationReport.Disagreement(
              places.get(pair.row().row()),
              example.prompt().strip(),
              example.response(pair.pair().better()),
              example.response(pair.pair().worse()),
              List.of(
                  pair.row().candidates().get(pair.pair().better()).reward(),
                  pair.row().candidates().get(pair.pair().worse()).reward())));
    }
    return pairs;
  }
}
