package dev.murmuration.batch;

import dev.murmuration.dataset.DataSet;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowSelection;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.dataset.ScoredRows;
import dev.murmuration.dataset.ScoredRows.Scored;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Set;
import java.util.function.Function;

/**
 * Scores the rows of a job into its output. Whatever ends it, a signal, a full disk or a power cut,
 * running the same job again goes on behind the last row that is certain to be on the disk, and the
 * result is the same, byte for byte, where a model computes the same text to the same bits.
 *
 * <p>One thread runs it; any thread may {@link #stop} it.
 */
public final class Batch {
  /** So much work may be done again after an interruption, in nanoseconds. */
  static final long BETWEEN_STATES = 1_000_000_000L;

  private final BatchJob job;
  private final RewardModel model;
  private final boolean timed;
  private final Function<Throwable, String> wording;
  private final long betweenStates;
  private final ResultLine result;
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
    this(job, model, timed, wording, BETWEEN_STATES);
  }

  /**
   * Like the other one.
   *
   * @param betweenStates so much work may be done again, in nanoseconds
   */
  Batch(
      BatchJob job,
      RewardModel model,
      boolean timed,
      Function<Throwable, String> wording,
      long betweenStates) {
    this.betweenStates = betweenStates;
    this.job = job;
    this.model = model;
    this.timed = timed;
    this.wording = wording;
    this.result = new ResultLine(job.field());
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
    DataSet data = DataSet.of(job.query());
    BatchState state = files.begin(RunRecord.of(job, data.schema(), model));
    if (state.finished()) {
      if (files.isPending()) {
        files.complete(state);
      }
      return job.retryErrors() && state.counts().failed() > 0
          ? retry(files, state, data, listener)
          : new Outcome(state.counts(), true);
    }
    listener.started(data.schema().name(), data.first(), state.counts());
    long done = state.counts().row();
    RowSelection selection = data.select(row -> row <= done, job.shard(), job.field());
    BatchCounts counts;
    long lineBytes;
    long errorBytes;
    try (AppendedFile lines = new AppendedFile(files.paths().lines(), state.lineBytes());
        AppendedFile errors = new AppendedFile(files.paths().errors(), state.errorBytes())) {
      Progress progress =
          new Progress(
              state.counts(), now -> files.save(state, now, lines.force(), errors.force()));
      try {
        counts = score(data, selection, lines, errors, progress, listener);
      } catch (TooManyErrorsException e) {
        progress.save();
        throw e;
      }
      lineBytes = lines.force();
      errorBytes = errors.force();
    }
    if (stopped) {
      files.save(state, counts, lineBytes, errorBytes);
      return new Outcome(counts, false);
    }
    files.finish(new BatchState(state.run(), counts, lineBytes, errorBytes, true));
    return new Outcome(counts, true);
  }

  /** Scores the rows that failed before, and puts those that have a reward into the output. */
  private Outcome retry(BatchFiles files, BatchState state, DataSet data, BatchListener listener)
      throws IOException {
    Set<Long> failed = files.failedRows();
    BatchCounts rest = state.counts().withoutFailed();
    listener.started(data.schema().name(), data.first(), rest);
    RowSelection selection = data.select(row -> !failed.contains(row), job.shard(), job.field());
    Files.deleteIfExists(files.paths().retriedLines());
    Files.deleteIfExists(files.paths().retriedErrors());
    BatchCounts counts;
    long errorBytes;
    try (AppendedFile lines = new AppendedFile(files.paths().retriedLines(), 0);
        AppendedFile errors = new AppendedFile(files.paths().retriedErrors(), 0)) {
      counts = score(data, selection, lines, errors, new Progress(rest, _ -> {}), listener);
      lines.force();
      errorBytes = errors.force();
    }
    if (stopped) {
      return new Outcome(state.counts(), false);
    }
    files.finishRetry(state, counts.at(state.counts().row()), errorBytes);
    return new Outcome(counts, true);
  }

  // ---- all rows ----

  /** Notes how far the work is, from time to time. */
  @FunctionalInterface
  private interface Save {
    void save(BatchCounts counts) throws IOException;
  }

  private final class Progress {
    private final Save save;
    private BatchCounts counts;

    /**
     * The first time at once, so that it is known whose output it is; the model works meanwhile.
     */
    private long saved = System.nanoTime() - betweenStates - 1;

    Progress(BatchCounts from, Save save) {
      this.counts = from;
      this.save = save;
    }

    void saveIfDue() throws IOException {
      if (System.nanoTime() - saved > betweenStates) {
        save();
        saved = System.nanoTime();
      }
    }

    void save() throws IOException {
      save.save(counts);
    }
  }

  private BatchCounts score(
      DataSet data,
      RowSelection selection,
      AppendedFile lines,
      AppendedFile errors,
      Progress progress,
      BatchListener listener)
      throws IOException {
    try (RowSource source = data.open();
        ScoredRows scoredRows = scoredRows(source, selection)) {
      for (Scored scored; (scored = scoredRows.next()) != null; ) {
        progress.counts = write(scored, progress.counts, lines, errors, listener);
        listener.reached(scoredRows.share());
        progress.saveIfDue();
        if (job.maxErrors().exceeded(progress.counts.failed(), progress.counts.rows())) {
          throw new TooManyErrorsException(progress.counts, job.output());
        }
      }
    }
    return progress.counts;
  }

  private ScoredRows scoredRows(RowSource source, RowSelection selection) {
    ScoredRows started = new ScoredRows(selection.until(source), selection, model, timed);
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
      errors.line(result.ofFailure(row, wording.apply(scored.failure())));
      listener.failed(row, scored.failure());
      return counts;
    }
    if (scored.example() == null) {
      return before; // A blank line.
    }
    lines.line(result.of(row, scored.rewards()));
    long tokens = 0;
    long truncated = 0;
    for (Reward reward : scored.rewards()) {
      tokens += reward.tokens();
      truncated += reward.truncatedTokens() > 0 ? 1 : 0;
    }
    BatchCounts counts = before.scored(row.number(), scored.rewards().size(), tokens, truncated);
    listener.scored(scored.rewards());
    return counts;
  }
}
