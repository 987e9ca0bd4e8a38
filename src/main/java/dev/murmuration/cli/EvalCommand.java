package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.EvaluationJson;
import dev.murmuration.cli.view.EvaluationText;
import dev.murmuration.cli.view.RowProgress;
import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.DataSet;
import dev.murmuration.dataset.RowSelection;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.ScoredRows;
import dev.murmuration.evaluation.Evaluation;
import dev.murmuration.evaluation.Judged;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code murmur eval}. */
@Command(
    name = "eval",
    header = "Says how well a model agrees with what people prefer in a data set.",
    description = {
      "",
      "Accuracy over pairs with 95 % intervals (Wilson; and by prompt, bootstrap), by subset,"
          + " domain or source, and by the rules of RewardBench, RewardBench 2 and RM-Bench where"
          + " the data is theirs; calibration; the order of whole rows; bias towards length and"
          + " Markdown.",
      "",
      "Examples:",
      "  murmur eval -m rm.gguf rewardbench.parquet",
      "  murmur eval -m rm.gguf nectar.jsonl --sample 2000 --json"
    })
final class EvalCommand extends ScoringCommand {
  @Mixin private final DataOptions data = new DataOptions();

  private DataQuery query;

  EvalCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  void prepare() throws IOException {
    query = data.query();
  }

  @Override
  int run(RewardModel model) throws IOException {
    DataSet set = DataSet.of(query);
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
          progress.scored(row.rewards());
        }
      }
    }
    progress.summary();
    Evaluation evaluation = Evaluation.of(set.schema().name(), rows);
    if (json()) {
      EvaluationJson.print(evaluation, terminal());
    } else {
      EvaluationText.print(evaluation, terminal());
    }
    return progress.failures() > 0 ? ExitCode.SOME_ROWS_FAILED : ExitCode.DONE;
  }
}
