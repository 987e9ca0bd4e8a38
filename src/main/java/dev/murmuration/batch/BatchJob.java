package dev.murmuration.batch;

import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.Shard;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What is to be scored, and where it goes.
 *
 * @param query which rows
 * @param output the file that is written
 * @param field under which rewards are put into a row
 * @param shard which part of the rows
 * @param maxErrors the most rows that may fail
 * @param retryErrors whether only rows that failed before are scored
 * @param force whether what is there is replaced
 */
public record BatchJob(
    DataQuery query,
    Path output,
    String field,
    Shard shard,
    MaxErrors maxErrors,
    boolean retryErrors,
    boolean force) {

  /** Checks what can be checked without a model. */
  public BatchJob {
    OutputFormat format = OutputFormat.of(output);
    Path folder = output.toAbsolutePath().getParent();
    if (!Files.isDirectory(folder)) {
      throw new IllegalArgumentException(
          "the folder " + folder + " does not exist, where " + output.getFileName() + " is to be");
    }
    for (String input : query.files()) {
      for (Path written : new BatchPaths(output).all()) {
        if (normal(Path.of(input)).equals(normal(written))) {
          throw new IllegalArgumentException(
              written + ", which is written, is one of the inputs; name another output");
        }
      }
    }
    if (retryErrors && format.kind() != OutputFormat.Kind.JSON_LINES) {
      throw new IllegalArgumentException(
          "rows that failed can only be added to JSON lines, and "
              + output
              + " is something else; score all rows again with force(true)");
    }
  }

  private static Path normal(Path file) {
    return file.toAbsolutePath().normalize();
  }

  /** A job with the usual settings. */
  public static BatchJob of(DataQuery query, Path output) {
    return new BatchJob(query, output, "murmur", Shard.WHOLE, MaxErrors.ANY, false, false);
  }
}
