package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.batch.Batch;
import dev.murmuration.batch.BatchCounts;
import dev.murmuration.batch.BatchListener;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RawText;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringStatistics;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/**
 * How a batch goes, on standard error: the first row as the model gets it, one line that is written
 * over and over on a terminal, and a line every half minute elsewhere.
 */
public final class BatchProgress implements BatchListener, AutoCloseable {
  private static final long BETWEEN_DRAWS = 200_000_000L;
  private static final long BETWEEN_LINES = 30_000_000_000L;
  private static final int SHOWN_FAILURES = 5;
  private static final int SHOWN_LINES = 12;

  /** Back to the start of the line, and erase it (ECMA-48: CR, EL). */
  private static final String WIPE = "\r\u001b[K";

  private final Terminal terminal;
  private final PrintStream err;
  private final RewardModel model;
  private final boolean bar;
  private final Path output;
  private final ScoringStatistics before;
  private final long start = System.nanoTime();
  private final List<String> failures = new ArrayList<>();
  private BatchCounts from;
  private long drawn = start;
  private boolean onLine;

  /**
   * Begins to watch.
   *
   * @param bar whether there is a terminal to draw on
   */
  public BatchProgress(Terminal terminal, RewardModel model, boolean bar, Path output) {
    this.terminal = terminal;
    this.err = terminal.err();
    this.model = model;
    this.bar = bar;
    this.output = output;
    this.before = model.statistics();
  }

  @Override
  public void started(String schema, Example example, BatchCounts counts) {
    from = counts;
    if (counts.rows() > 0) {
      terminal.note(
          "going on behind row " + counts.row() + ", with " + counts.scored() + " scored");
    }
    terminal.note(
        "schema "
            + schema
            + ", "
            + example.candidates().size()
            + (example.candidates().size() == 1 ? " text" : " texts")
            + " a row; the first one as the model gets it:");
    if (!terminal.quiet()) {
      int columns = Math.max(20, terminal.columns() - 4);
      List<String> lines =
          rendered(example.candidates().getFirst().input())
              .lines()
              .flatMap(line -> Display.wrap(Display.visible(line), columns).stream())
              .toList();
      lines.stream().limit(SHOWN_LINES).forEach(line -> err.println("  | " + line));
      if (lines.size() > SHOWN_LINES) {
        err.println("  | … " + (lines.size() - SHOWN_LINES) + " more lines");
      }
    }
  }

  private String rendered(Input input) {
    return switch (input) {
      case Conversation conversation -> model.template().render(conversation);
      case RawText text -> text.text();
      default -> input.toString();
    };
  }

  @Override
  public void scored(BatchCounts counts) {
    long now = System.nanoTime();
    if (terminal.quiet() || now - drawn < (bar ? BETWEEN_DRAWS : BETWEEN_LINES)) {
      return;
    }
    drawn = now;
    String line = line(counts, (now - start) / 1e9);
    if (bar) {
      err.print(WIPE + Display.cut(line, terminal.columns() - 1));
      err.flush();
      onLine = true;
    } else {
      terminal.note(line);
    }
  }

  private String line(BatchCounts counts, double seconds) {
    ScoringStatistics done = model.statistics().since(before);
    return String.format(
        Locale.ROOT,
        "%,d rows, %,d failed, %s rewards/s, %s tokens/s",
        counts.rows(),
        counts.failed(),
        rate(counts.texts() - from.texts(), seconds),
        rate(done.tokensAsked(), seconds));
  }

  private static String rate(long count, double seconds) {
    double rate = count / Math.max(1e-9, seconds);
    return String.format(Locale.ROOT, rate < 100 ? "%.1f" : "%,.0f", rate);
  }

  @Override
  public void failed(Row row, Throwable failure, BatchCounts counts) {
    if (failures.size() < SHOWN_FAILURES) {
      failures.add(row.place() + ": " + Wording.oneLine(Wording.message(failure)));
    }
    scored(counts);
  }

  /** Says what was done. */
  public void summary(Batch.Outcome outcome) {
    BatchCounts counts = outcome.counts();
    double seconds = (System.nanoTime() - start) / 1e9;
    ScoringStatistics done = model.statistics().since(before);
    if (!outcome.finished()) {
      terminal.note(
          "interrupted: " + counts.rows() + " rows are safe; run the same command to go on");
      return;
    }
    terminal.note(
        String.format(
            Locale.ROOT,
            "wrote %s: %,d rows scored (%,d texts, %,d tokens)%s",
            output,
            counts.scored(),
            counts.texts(),
            counts.tokens(),
            counts.truncated() > 0
                ? String.format(Locale.ROOT, ", %,d texts were cut", counts.truncated())
                : ""));
    if (done.texts() > 0) {
      terminal.note(
          String.format(
              Locale.ROOT,
              "this run: %.1f s, %s rewards/s; of %,d tokens %,d were computed, the others shared",
              seconds,
              rate(done.texts(), seconds),
              done.tokensAsked(),
              done.tokensComputed()));
    }
    if (counts.failed() > 0) {
      terminal.note(
          counts.failed() + " rows failed; " + output + ".errors.jsonl says why. The first ones:");
      failures.forEach(failure -> terminal.notes("  " + failure));
      terminal.note("--retry-errors scores them once more");
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

  @Override
  public void close() {
    if (onLine) {
      err.print(WIPE);
      err.flush();
      onLine = false;
    }
  }
}
