package dev.murmuration.dataset;

import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

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

  /** Takes an unmodifiable copy of the list, and checks what it can before anything is read. */
  public DataQuery {
    files = List.copyOf(files);
    files.stream().filter(DataFiles::isReadOnce).findFirst().ifPresent(DataQuery::refuse);
    schema.ifPresent(Schemas::of);
    var _ = RowCondition.of(where);
    if (limit < 1 || sample.orElse(1) < 1) {
      throw new IllegalArgumentException(
          (limit < 1 ? "limit is " + limit : "sample is " + sample.get()) + "; the least is 1");
    }
  }

  private static void refuse(String file) {
    throw new IllegalArgumentException(
        (file.equals(DataFiles.STANDARD_INPUT) ? "standard input" : file + " is a pipe and")
            + " cannot be read twice, which this command does; name a file, or use 'murmur score "
            + file
            + "'");
  }

  /** The files' names without their folders, as one text. */
  public String names() {
    return files.stream()
        .map(file -> String.valueOf(Path.of(file).getFileName()))
        .collect(Collectors.joining(", "));
  }

  /** Which rows are chosen, by the options' names, as texts; empty for all of them. */
  public Map<String, String> choice() {
    Map<String, String> choice = new LinkedHashMap<>();
    where.ifPresent(condition -> choice.put("where", condition));
    sample.ifPresent(size -> choice.put("sample", size + " rows, seed " + seed));
    if (limit != Long.MAX_VALUE) {
      choice.put("limit", String.valueOf(limit));
    }
    return choice;
  }

  /** All rows of some files. */
  public static DataQuery all(List<String> files) {
    return new DataQuery(
        files, Optional.empty(), Optional.empty(), Optional.empty(), 0, Long.MAX_VALUE);
  }
}
