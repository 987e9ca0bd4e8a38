package dev.murmuration.batch;

import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowParser;
import dev.murmuration.dataset.RowSource;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.StandardCopyOption;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** The files of a batch: begins and finishes them, and notes how far it is. */
final class BatchFiles {
  private final BatchJob job;
  private final BatchPaths paths;

  BatchFiles(BatchJob job) {
    this.job = job;
    this.paths = new BatchPaths(job.output());
  }

  BatchPaths paths() {
    return paths;
  }

  /**
   * Where the batch stands.
   *
   * @param run what its result depends on
   * @throws IllegalArgumentException if the output belongs to another one
   */
  BatchState begin(Map<String, String> run) throws IOException {
    Optional<BatchState> before = job.force() ? Optional.empty() : BatchState.read(paths.state());
    if (before.isEmpty()) {
      if (Files.exists(job.output()) && !job.force()) {
        throw new IllegalArgumentException(
            job.output() + " exists; name another file, or replace it with force(true)");
      }
      Files.deleteIfExists(paths.lines());
      Files.deleteIfExists(paths.errors());
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
    new BatchState(from.run(), counts, lineBytes, errorBytes, false).write(paths.state());
  }

  /** Numbers of the rows that have failed. */
  Set<Long> failedRows() throws IOException {
    Set<Long> numbers = new HashSet<>();
    List<String> files = List.of(paths.errors().toString());
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
        .run(List.of(job.output().toString(), paths.retriedLines().toString()), job.output());
    Files.move(
        paths.retriedErrors(),
        paths.errors(),
        StandardCopyOption.ATOMIC_MOVE,
        StandardCopyOption.REPLACE_EXISTING);
    new BatchState(state.run(), counts, state.lineBytes(), errorBytes, true).write(paths.state());
    Files.deleteIfExists(paths.retriedLines());
    if (errorBytes == 0) {
      Files.deleteIfExists(paths.errors());
    }
  }

  /**
   * Whether the output is yet to be made of the lines, although nothing is left to be scored: the
   * last run ended in between.
   */
  boolean isPending() {
    return Files.exists(paths.lines());
  }

  /** Notes that all is scored, and makes the output. */
  void finish(BatchState end) throws IOException {
    end.write(paths.state());
    complete(end);
  }

  /** Makes the output of the lines, which are whole. */
  void complete(BatchState end) throws IOException {
    OutputFormat.of(job.output()).write(paths.lines(), job.output());
    Files.deleteIfExists(paths.lines());
    if (end.errorBytes() == 0) {
      Files.deleteIfExists(paths.errors());
    }
  }
}
