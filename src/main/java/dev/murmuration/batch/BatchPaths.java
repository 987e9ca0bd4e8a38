package dev.murmuration.batch;

import java.nio.file.Path;
import java.util.List;

/**
 * The files that a batch writes: the output, and beside it the lines so far, the errors and the
 * state.
 */
record BatchPaths(Path output) {
  private Path beside(String suffix) {
    return output.resolveSibling(output.getFileName() + suffix);
  }

  /** The lines that are finished, while the batch goes on. */
  Path lines() {
    return beside(".partial");
  }

  /** Rows that have no rewards, and why; JSON lines. */
  Path errors() {
    return beside(".errors.jsonl");
  }

  /** The lines of rows that failed before. */
  Path retriedLines() {
    return beside(".retried.jsonl");
  }

  /** Rows that have failed again. */
  Path retriedErrors() {
    return beside(".retried.errors.jsonl");
  }

  /** How it is run, and how far it is. */
  Path state() {
    return beside(".run.json");
  }

  /** All of them, the output included. */
  List<Path> all() {
    return List.of(output, lines(), errors(), state(), retriedLines(), retriedErrors());
  }
}
