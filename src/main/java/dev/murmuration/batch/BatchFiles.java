package dev.murmuration.batch;

import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowParser;
import dev.murmuration.dataset.RowSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;

/** The files of a batch: the output, and beside it the lines so far, the errors and the state. */
final class BatchFiles {
  private static final String PARTIAL = ".partial";
  private static final String ERRORS = ".errors.jsonl";
  private static final String STATE = ".run.json";
  private static final String RETRIED = ".retried.jsonl";
  private static final String RETRIED_ERRORS = ".retried.errors.jsonl";

  private final BatchJob job;

  BatchFiles(BatchJob job) {
    this.job = job;
  }

  /** All files that are written for an output, itself included. */
  static List<Path> of(Path output) {
    return Stream.of("", PARTIAL, ERRORS, STATE, RETRIED, RETRIED_ERRORS)
        .map(suffix -> beside(output, suffix))
        .toList();
  }

  private static Path beside(Path output, String suffix) {
    return output.resolveSibling(output.getFileName() + suffix);
  }

  private Path beside(String suffix) {
    return beside(job.output(), suffix);
  }

  /** The lines that are finished, while the batch goes on. */
  Path lines() {
    return beside(PARTIAL);
  }

  /** Rows that have no rewards, and why; JSON lines. */
  Path errors() {
    return beside(ERRORS);
  }

  /** The lines of rows that failed before. */
  Path retriedLines() {
    return beside(RETRIED);
  }

  /** Rows that have failed again. */
  Path retriedErrors() {
    return beside(RETRIED_ERRORS);
  }

  /** How it is run, and how far it is. */
  Path state() {
    return beside(STATE);
  }

  /**
   * Where the batch stands.
   *
   * @param run what its result depends on
   * @throws IllegalArgumentException if the output belongs to another one
   */
  BatchState begin(Map<String, String> run) throws IOException {
    Optional<BatchState> before = job.force() ? Optional.empty() : BatchState.read(state());
    if (before.isEmpty()) {
      if (Files.exists(job.output()) && !job.force()) {
        throw new IllegalArgumentException(
            job.output() + " exists; name another file, or replace it with force(true)");
      }
      Files.deleteIfExists(lines());
      Files.deleteIfExists(errors());
      return BatchState.start(run); // It is written when there is something to go on from.
    }
    // Rows that have failed may have been mended meanwhile.
    String difference =
        job.retryErrors() && before.get().finished()
            ? RunRecord.difference(
                RunRecord.withoutFiles(before.get().run()), RunRecord.withoutFiles(run))
            : RunRecord.difference(before.get().run(), run);
    if (difference != null) {
      throw new IllegalArgumentException(
          job.output()
              + " was begun in another way: "
              + difference
              + "; name another file, or start anew with force(true)");
    }
    if (before.get().finished() && !isPending() && !Files.exists(job.output())) {
      throw new IllegalArgumentException(
          job.output() + " was finished and is gone; make it anew with force(true)");
    }
    return before.get();
  }

  /** Notes how far the batch is, when what was written is on the disk. */
  void save(BatchState from, BatchCounts counts, long lineBytes, long errorBytes)
      throws IOException {
    new BatchState(from.run(), counts, lineBytes, errorBytes, false).write(state());
  }

  /** Numbers of the rows that have failed. */
  Set<Long> failedRows() throws IOException {
    Set<Long> numbers = new HashSet<>();
    List<String> files = List.of(errors().toString());
    try (RowSource rows = DataFiles.open(files, InputStream.nullInputStream())) {
      for (Row row; (row = rows.next()) != null; ) {
        numbers.add(RowParser.parse(row).path("row").asLong());
      }
    }
    return numbers;
  }

  /** Puts the lines and errors of rows that failed before in their places. */
  void finishRetry(BatchState state, BatchCounts counts, long errorBytes) throws IOException {
    new Merge(job.field(), true)
        .run(List.of(job.output().toString(), retriedLines().toString()), job.output());
    Files.move(
        retriedErrors(),
        errors(),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    new BatchState(state.run(), counts, state.lineBytes(), errorBytes, true).write(state());
    Files.deleteIfExists(retriedLines());
    if (errorBytes == 0) {
      Files.deleteIfExists(errors());
    }
  }

  /**
   * Whether the output is yet to be made of the lines, although nothing is left to be scored: the
   * last run ended in between.
   */
  boolean isPending() {
    return Files.exists(lines());
  }

  /** Notes that all is scored, and makes the output. */
  void finish(BatchState end) throws IOException {
    end.write(state());
    complete(end);
  }

  /** Makes the output of the lines, which are whole. */
  void complete(BatchState end) throws IOException {
    OutputFormat.of(job.output()).write(lines(), job.output());
    Files.deleteIfExists(lines());
    if (end.errorBytes() == 0) {
      Files.deleteIfExists(errors());
    }
  }
}
