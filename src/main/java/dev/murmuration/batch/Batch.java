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
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
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

    TooManyErrorsException(BatchCounts counts, Path output) {
      super(
          counts.failed()
              + " of "
              + counts.rows()
              + " rows have failed, which is more than allowed; see "
              + output
              + ".errors.jsonl");
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
      return job.retryErrors() && state.counts().failed() > 0
          ? retry(files, state, condition, first, listener)
          : new Outcome(state.counts(), true);
    }
    listener.started(first.schema().name(), first.example(), state.counts());
    long done = state.counts().row();
    LongPredicate sampled = sampled(condition);
    RowSelection selection =
        new RowSelection(job, first.schema(), condition, sampled, number -> number <= done);
    BatchCounts counts;
    long lineBytes;
    long errorBytes;
    try (AppendedFile lines = new AppendedFile(files.lines(), state.lineBytes());
        AppendedFile errors = new AppendedFile(files.errors(), state.errorBytes())) {
      Progress progress =
          new Progress(
              state.counts(), now -> files.save(state, now, lines.force(), errors.force()));
      try {
        counts = score(selection, lines, errors, progress, listener);
      } catch (TooManyErrorsException e) {
        progress.save();
        throw e;
      }
      lineBytes = lines.force();
      errorBytes = errors.force();
    }
    BatchState end = files.save(state, counts, lineBytes, errorBytes);
    if (stopped) {
      return new Outcome(counts, false);
    }
    files.finish(end);
    return new Outcome(counts, true);
  }

  /** Scores the rows that failed before, and puts those that have a reward into the output. */
  private Outcome retry(
      BatchFiles files,
      BatchState state,
      Optional<RowCondition> condition,
      First first,
      BatchListener listener)
      throws IOException {
    Set<Long> failed = files.failedRows();
    BatchCounts rest = state.counts().withoutFailed();
    listener.started(first.schema().name(), first.example(), rest);
    RowSelection selection =
        new RowSelection(
            job, first.schema(), condition, sampled(condition), row -> !failed.contains(row));
    Files.deleteIfExists(files.retriedLines());
    Files.deleteIfExists(files.retriedErrors());
    BatchCounts counts;
    long errorBytes;
    try (AppendedFile lines = new AppendedFile(files.retriedLines(), 0);
        AppendedFile errors = new AppendedFile(files.retriedErrors(), 0)) {
      counts = score(selection, lines, errors, new Progress(rest, _ -> {}), listener);
      lines.force();
      errorBytes = errors.force();
    }
    if (stopped) {
      return new Outcome(state.counts(), false);
    }
    files.finishRetry(state, counts.at(state.counts().row()), errorBytes);
    return new Outcome(counts, true);
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

  /** Notes how far the work is, from time to time. */
  @FunctionalInterface
  private interface Save {
    void save(BatchCounts counts) throws IOException;
  }

  private static final class Progress {
    private final Save save;
    private BatchCounts counts;
    private long saved = System.nanoTime();

    Progress(BatchCounts from, Save save) {
      this.counts = from;
      this.save = save;
    }

    void saveIfDue() throws IOException {
      if (System.nanoTime() - saved > BETWEEN_STATES) {
        save();
        saved = System.nanoTime();
      }
    }

    void save() throws IOException {
      save.save(counts);
    }
  }

  private BatchCounts score(
      RowSelection selection,
      AppendedFile lines,
      AppendedFile errors,
      Progress progress,
      BatchListener listener)
      throws IOException {
    try (RowSource source = open();
        ScoredRows scoredRows = scoredRows(source, selection)) {
      for (Scored scored; (scored = scoredRows.next()) != null; ) {
        progress.counts = write(scored, progress.counts, lines, errors, listener);
        progress.saveIfDue();
        if (job.maxErrors().exceeded(progress.counts.failed(), progress.counts.rows())) {
          throw new TooManyErrorsException(progress.counts, job.output());
        }
      }
    }
    return progress.counts;
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
