package dev.murmuration.batch;

import dev.murmuration.dataset.RowCondition;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;

/**
 * What is to be scored, and where it goes.
 *
 * @param inputs files, as {@link dev.murmuration.dataset.DataFiles#expand} gives them
 * @param output the file that is written
 * @param schema name of the schema; empty for the one that the first row looks like
 * @param field under which rewards are put into a row
 * @param where a condition in jq's language that rows have to fulfil
 * @param sample how many rows to choose at random; empty for all
 * @param seed of that choice
 * @param limit the most rows to score
 * @param shard which part of the input
 * @param maxErrors the most rows that may fail
 * @param retryErrors whether only rows that failed before are scored
 * @param force whether what is there is replaced
 */
public record BatchJob(
    List<String> inputs,
    Path output,
    Optional<String> schema,
    String field,
    Optional<String> where,
    Optional<Integer> sample,
    long seed,
    long limit,
    Shard shard,
    MaxErrors maxErrors,
    boolean retryErrors,
    boolean force) {

  /** Takes an unmodifiable copy of the list. */
  public BatchJob {
    inputs = List.copyOf(inputs);
  }

  /**
   * Checks what can be checked without a model.
   *
   * @throws IllegalArgumentException if the output's name tells no format, it is one of the inputs,
   *     or the condition is none
   */
  public void check() {
    OutputFormat format = OutputFormat.of(output);
    if (inputs.stream().anyMatch(input -> isOutput(Path.of(input)))) {
      throw new IllegalArgumentException(output + " is one of the inputs; name another file");
    }
    if (retryErrors && format.kind() != OutputFormat.Kind.JSON_LINES) {
      throw new IllegalArgumentException(
          "rows that failed can only be added to JSON lines, and "
              + output
              + " is something else; score all rows again with force(true)");
    }
    where.ifPresent(RowCondition::new);
  }

  private boolean isOutput(Path input) {
    return input.toAbsolutePath().normalize().equals(output.toAbsolutePath().normalize());
  }

  /** A job with the usual settings. */
  public static BatchJob of(List<String> inputs, Path output) {
    return new BatchJob(
        inputs,
        output,
        Optional.empty(),
        "murmur",
        Optional.empty(),
        Optional.empty(),
        0,
        Long.MAX_VALUE,
        Shard.WHOLE,
        MaxErrors.ANY,
        false,
        false);
  }
}
