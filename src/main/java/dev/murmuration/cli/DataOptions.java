package dev.murmuration.cli;

import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.DataQuery;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Which data set, and which rows of it. */
final class DataOptions {
  @Parameters(
      arity = "1..*",
      paramLabel = "DATA",
      description =
          "Files of JSON lines, JSON, CSV, TSV or Parquet, packed with gzip or Zstandard or not; or"
              + " patterns such as 'data/*.jsonl' in quotation marks.")
  private List<String> inputs;

  @Mixin private SchemaOption schema = new SchemaOption();

  @Option(
      names = "--where",
      paramLabel = "JQ",
      order = 11,
      description =
          "Only rows for which this condition in jq's language is true, such as '.lang == \"en\"'.")
  private String where;

  @Option(
      names = "--sample",
      paramLabel = "N",
      order = 12,
      description = "Only N rows, chosen at random; the same ones every time.")
  private Integer sample;

  @Option(
      names = "--seed",
      paramLabel = "N",
      order = 13,
      description = "Another sample. Default: 0.")
  private long seed;

  @Option(
      names = "--limit",
      paramLabel = "N",
      order = 14,
      description = "Only the first N of the rows.")
  private Long limit;

  DataQuery query() throws IOException {
    return new DataQuery(
        DataFiles.expand(inputs),
        schema.name(),
        Optional.ofNullable(where),
        Optional.ofNullable(sample),
        seed,
        limit == null ? Long.MAX_VALUE : limit);
  }
}
