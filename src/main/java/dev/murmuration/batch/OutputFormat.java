package dev.murmuration.batch;

import java.io.IOException;
import java.nio.file.Path;

/** The formats that results are written in. */
enum OutputFormat {
  JSON_LINES;

  static OutputFormat of(Path output) {
    return JSON_LINES;
  }

  /** Makes an output of lines of JSON; the lines may become the output themselves. */
  void write(Path lines, Path output) throws IOException {
    java.nio.file.Files.move(
        lines,
        output,
        java.nio.file.StandardCopyOption.ATOMIC_MOVE,
        java.nio.file.StandardCopyOption.REPLACE_EXISTING);
  }
}
