package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.batch.Batch;
import dev.murmuration.batch.BatchCounts;
import dev.murmuration.batch.BatchListener;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Reward;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** How a batch goes, and what it has done, earlier runs included. */
public final class BatchProgress implements BatchListener {
  private final Terminal terminal;
  private final RowProgress rows;
  private final Path output;

  /**
   * Begins to watch.
   *
   * @param rows shows them
   */
  public BatchProgress(Terminal terminal, RowProgress rows, Path output) {
    this.terminal = terminal;
    this.rows = rows;
    this.output = output;
  }

  @Override
  public void started(String schema, Example example, BatchCounts from) {
    if (from.rows() > 0) {
      terminal.note("going on behind row " + from.row() + ", with " + from.scored() + " scored");
    }
    rows.started(schema, example);
  }

  @Override
  public void scored(List<Reward> rewards) {
    rows.scored(rewards);
  }

  @Override
  public void failed(Row row, Throwable failure) {
    rows.failed(row, failure);
  }

  @Override
  public void reached(double share) {
    rows.reached(share);
  }

  /** Says what was done. */
  public void summary(Batch.Outcome outcome) {
    BatchCounts counts = outcome.counts();
    if (!outcome.finished()) {
      terminal.note(
          "interrupted: " + counts.rows() + " rows are safe; run the same command to go on");
      return;
    }
    rows.summary();
    terminal.note(
        String.format(
            Locale.ROOT,
            "wrote %s: %,d rows, %,d texts, %,d tokens%s",
            output,
            counts.scored(),
            counts.texts(),
            counts.tokens(),
            counts.truncated() > 0
                ? String.format(Locale.ROOT, ", %,d texts were cut", counts.truncated())
                : ""));
    if (counts.failed() > 0) {
      terminal.note(
          counts.failed()
              + " rows have no reward: "
              + output
              + ".errors.jsonl says why, and --retry-errors scores them once more");
    }
  }

  /** Writes what was done as fields of an object. */
  public static void write(JsonGenerator json, Path output, Batch.Outcome outcome)
      throws IOException {
    BatchCounts counts = outcome.counts();
    json.writeStringField("output", output.toString());
    json.writeBooleanField("finished", outcome.finished());
    json.writeNumberField("scored", counts.scored());
    json.writeNumberField("failed", counts.failed());
    json.writeNumberField("texts", counts.texts());
    json.writeNumberField("tokens", counts.tokens());
    json.writeNumberField("truncated", counts.truncated());
  }
}
