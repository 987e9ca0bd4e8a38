package dev.murmuration.batch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/** The files of a batch: the output, and beside it the lines so far, the errors and the state. */
final class BatchFiles {
  private final BatchJob job;

  BatchFiles(BatchJob job) {
    this.job = job;
  }

  private Path beside(String suffix) {
    return job.output().resolveSibling(job.output().getFileName() + suffix);
  }

  /** The lines that are finished, while the batch goes on. */
  Path lines() {
    return beside(".partial");
  }

  /** Rows that have no rewards, and why; JSON lines. */
  Path errors() {
    return beside(".errors.jsonl");
  }

  /** How it is run, and how far it is. */
  Path state() {
    return beside(".run.json");
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
      BatchState start = BatchState.start(run);
      start.write(state());
      return start;
    }
    String difference = RunRecord.difference(before.get().run(), run);
    if (difference != null) {
      throw new IllegalArgumentException(
          job.output()
              + " was begun in another way: "
              + difference
              + "; name another file, or start anew with force(true)");
    }
    if (before.get().finished() && !Files.exists(job.output())) {
      throw new IllegalArgumentException(
          job.output() + " was finished and is gone; make it anew with force(true)");
    }
    return before.get();
  }

  /** Notes how far the batch is, when what was written is on the disk. */
  BatchState save(BatchState from, BatchCounts counts, long lineBytes, long errorBytes)
      throws IOException {
    BatchState state = new BatchState(from.run(), counts, lineBytes, errorBytes, false);
    state.write(state());
    return state;
  }

  /** Makes the output of the lines. */
  void finish(BatchState state) throws IOException {
    boolean wasRenamed = !Files.exists(lines()) && Files.exists(job.output());
    if (!wasRenamed) {
      OutputFormat.of(job.output()).write(lines(), job.output());
    }
    new BatchState(state.run(), state.counts(), state.lineBytes(), state.errorBytes(), true)
        .write(state());
    Files.deleteIfExists(lines());
    if (state.errorBytes() == 0) {
      Files.deleteIfExists(errors());
    }
  }
}
