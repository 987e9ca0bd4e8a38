package dev.murmuration.dataset;

import java.util.List;
import java.util.Optional;

/**
 * Which rows of which files, and how they are to be read.
 *
 * @param files as {@link DataFiles#expand} gives them
 * @param schema name of the schema; empty for the one that the first row looks like
 * @param where a condition in jq's language that rows have to fulfil
 * @param sample how many rows to choose at random; empty for all
 * @param seed of that choice
 * @param limit the most rows
 */
public record DataQuery(
    List<String> files,
    Optional<String> schema,
    Optional<String> where,
    Optional<Integer> sample,
    long seed,
    long limit) {

  /** Takes an unmodifiable copy of the list, and checks schema and condition. */
  public DataQuery {
    files = List.copyOf(files);
    schema.ifPresent(Schemas::of);
    var _ = RowCondition.of(where);
    if (limit < 1 || sample.orElse(1) < 1) {
      throw new IllegalArgumentException(
          (limit < 1 ? "limit is " + limit : "sample is " + sample.get()) + "; the least is 1");
    }
  }

  /** All rows of some files. */
  public static DataQuery all(List<String> files) {
    return new DataQuery(
        files, Optional.empty(), Optional.empty(), Optional.empty(), 0, Long.MAX_VALUE);
  }
}
