package dev.murmuration.batch;

import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowCondition;
import dev.murmuration.dataset.RowParser;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.Schema;
import dev.murmuration.dataset.Schemas;
import dev.murmuration.dataset.ScoredRows;
import dev.murmuration.dataset.ScoredRows.Scored;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.io.InputStream;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.LongPredicate;

/**
 * Scores the rows of a job into its output. Whatever ends it, a signal, a full disk or a power cut,
 * running the same job again goes on behind the last row that is certain to be on the disk, and the
 * result is the same, byte for byte, where a model computes the same text to the same bits.
 *
 * <p>One thread runs it; any thread may {@link #stop} it.
 */
public final class Batch {
  /** So much work may be done again after an interruption, in nanoseconds. */
  private static final long BETWEEN_STATES = 1_000_000_000L;

  /** So many rows are looked at for one that tells the schema. */
  private static final int FIRST_ROWS = 100;

  private final BatchJob job;
  private final RewardModel model;
  private final boolean timed;
  private final Function<Throwable, String> wording;
  private volatile boolean stopped;
  private volatile ScoredRows rows;

  /** How it ended: what was done, and whether the output is complete. */
  public record Outcome(BatchCounts counts, boolean finished) {}

  /** Thrown when more rows have failed than the job allows; what was done is kept. */
  public static final class TooManyErrorsException extends IOException {
    private static final long serialVersionUID = 1;

    TooManyErrorsException(BatchCounts counts, BatchFiles files) {
      super(
          counts.failed()
              + " of "
              + counts.rows()
              + " rows have failed, which is more than allowed; see "
              + files.errors());
    }
  }

  /**
   * Prepares a batch.
   *
   * @param timed whether the model has a time limit
   * @param wording what a row's failure is called in the file of errors
   */
  public Batch(
      BatchJob job, RewardModel model, boolean timed, Function<Throwable, String> wording) {
    this.job = job;
    this.model = model;
    this.timed = timed;
    this.wording = wording;
  }

  /** Reads no more rows: {@link #run} returns when those under way are written. */
  public void stop() {
    stopped = true;
    ScoredRows running = rows;
    if (running != null) {
      running.stop();
    }
  }

  /**
   * Scores what is not scored yet.
   *
   * @throws IllegalArgumentException if an option or the first row is wrong, or the output belongs
   *     to another job
   * @throws TooManyErrorsException if more rows fail than the job allows
   * @throws IOException if reading or writing fails
   */
  public Outcome run(BatchListener listener) throws IOException {
    BatchFiles files = new BatchFiles(job);
    Optional<RowCondition> condition = job.where().map(RowCondition::new);
    First first = first(condition);
    BatchState state = files.begin(RunRecord.of(job, first.schema(), model));
    if (state.finished()) {
      return new Outcome(state.counts(), true);
    }
    listener.started(first.schema().name(), first.example(), state.counts());
    long done = state.counts().row();
    LongPredicate sampled = sampled(condition);
    RowSelection selection =
        new RowSelection(job, first.schema(), condition, sampled, number -> number <= done);
    BatchState end = score(files, state, selection, listener);
    if (stopped) {
      return new Outcome(end.counts(), false);
    }
    files.finish(end);
    return new Outcome(end.counts(), true);
  }

  private LongPredicate sampled(Optional<RowCondition> condition) throws IOException {
    if (job.sample().isEmpty()) {
      return number -> true;
    }
    try (RowSource all = open()) {
      return RowSelection.sample(all, job.sample().get(), job.seed(), condition);
    }
  }

  private RowSource open() {
    return DataFiles.open(job.inputs(), InputStream.nullInputStream());
  }

  // ---- the first row ----

  private record First(Schema schema, Example example) {}

  /** The schema, and what the first row means that has one. */
  private First first(Optional<RowCondition> condition) throws IOException {
    IllegalArgumentException problem =
        new IllegalArgumentException("the input has no rows: " + String.join(", ", job.inputs()));
    try (RowSource source = open()) {
      Row row;
      for (int i = 0; i < FIRST_ROWS && (row = source.next()) != null; i++) {
        if (row.isBlank()) {
          continue;
        }
        try {
          var node = RowParser.parse(row);
          Schema schema =
              job.schema().isPresent()
                  ? Schemas.of(job.schema().get())
                  : Schemas.recognise(node)
                      .orElseThrow(() -> new IllegalArgumentException(unknown(node.properties())));
          return new First(schema, schema.read(node));
        } catch (IllegalArgumentException e) {
          problem = new IllegalArgumentException(row.place() + ": " + e.getMessage(), e);
        }
      }
    }
    throw problem;
  }

  private static String unknown(Iterable<? extends Map.Entry<String, ?>> columns) {
    StringBuilder names = new StringBuilder();
    columns.forEach(column -> names.append(names.isEmpty() ? "" : ", ").append(column.getKey()));
    return "the columns "
        + names
        + " are those of no schema that is known; choose one with schema(NAME)";
  }

  // ---- all rows ----

  private BatchState score(
      BatchFiles files, BatchState from, RowSelection selection, BatchListener listener)
      throws IOException {
    BatchCounts counts = from.counts();
    try (AppendedFile lines = new AppendedFile(files.lines(), from.lineBytes());
        AppendedFile errors = new AppendedFile(files.errors(), from.errorBytes());
        RowSource source = open();
        ScoredRows scoredRows = scoredRows(source, selection)) {
      long saved = System.nanoTime();
      try {
        for (Scored scored; (scored = scoredRows.next()) != null; ) {
          counts = write(scored, counts, lines, errors, listener);
          if (System.nanoTime() - saved > BETWEEN_STATES) {
            files.save(from, counts, lines.force(), errors.force());
            saved = System.nanoTime();
          }
          if (job.maxErrors().exceeded(counts.failed(), counts.rows())) {
            throw new TooManyErrorsException(counts, files);
          }
        }
      } catch (TooManyErrorsException e) {
        files.save(from, counts, lines.force(), errors.force());
        throw e;
      }
      return files.save(from, counts, lines.force(), errors.force());
    }
  }

  private ScoredRows scoredRows(RowSource source, RowSelection selection) {
    RowSource until =
        new RowSource() {
          @Override
          public Row next() throws IOException {
            return selection.isExhausted() ? null : source.next();
          }

          @Override
          public void close() throws IOException {
            source.close();
          }
        };
    ScoredRows started = new ScoredRows(until, selection, model, timed);
    rows = started;
    if (stopped) {
      started.stop();
    }
    return started;
  }

  private BatchCounts write(
      Scored scored,
      BatchCounts before,
      AppendedFile lines,
      AppendedFile errors,
      BatchListener listener)
      throws IOException {
    Row row = scored.row();
    if (scored.failure() != null) {
      BatchCounts counts = before.failed(row.number());
      errors.line(ResultLine.ofFailure(row, wording.apply(scored.failure())));
      listener.failed(row, scored.failure(), counts);
      return counts;
    }
    if (scored.example() == null) {
      return before; // A blank line.
    }
    lines.line(ResultLine.of(row, scored.rewards(), job.field()));
    BatchCounts counts =
        before.scored(
            row.number(),
            scored.rewards().size(),
            scored.rewards().stream().mapToLong(Reward::tokens).sum(),
            scored.rewards().stream().filter(reward -> reward.truncatedTokens() > 0).count());
    listener.scored(counts);
    return counts;
  }
}
