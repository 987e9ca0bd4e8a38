package dev.murmuration.batch;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.dataset.DataFiles;
import dev.murmuration.dataset.Row;
import dev.murmuration.dataset.RowParser;
import dev.murmuration.dataset.RowSource;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStream;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.PriorityQueue;

/** Puts the outputs of several batches of one input together, in the order of the input's rows. */
public final class Merge {
  private final String field;
  private final boolean sameTwice;

  /**
   * A merger.
   *
   * @param field under which the rewards are
   */
  public Merge(String field) {
    this(field, false);
  }

  /**
   * A merger.
   *
   * @param sameTwice whether the same row may be in two parts; the first one's is taken
   */
  Merge(String field, boolean sameTwice) {
    this.field = field;
    this.sameTwice = sameTwice;
  }

  private record Head(long row, String json, int part) {}

  /**
   * Merges.
   *
   * @param parts outputs of batches, each in the order of its rows
   * @param output the file that is written
   * @return rows written
   * @throws IllegalArgumentException if a part is no output of a batch, or two hold the same row
   * @throws IOException if reading or writing fails
   */
  public long run(List<String> parts, Path output) throws IOException {
    OutputFormat format = OutputFormat.of(output);
    Path lines = output.resolveSibling(output.getFileName() + ".merging");
    List<RowSource> sources = new ArrayList<>();
    try {
      for (String part : parts) {
        sources.add(DataFiles.open(List.of(part), InputStream.nullInputStream()));
      }
      long count;
      try (Writer out = new BufferedWriter(Files.newBufferedWriter(lines))) {
        count = write(sources, out);
      }
      format.write(lines, output);
      return count;
    } finally {
      for (RowSource source : sources) {
        source.close();
      }
      Files.deleteIfExists(lines);
    }
  }

  private long write(List<RowSource> sources, Writer out) throws IOException {
    PriorityQueue<Head> heads =
        new PriorityQueue<>(Comparator.comparingLong(Head::row).thenComparingInt(Head::part));
    for (int i = 0; i < sources.size(); i++) {
      add(heads, sources, i, 0);
    }
    long count = 0;
    long last = 0;
    for (Head head; (head = heads.poll()) != null; ) {
      if (head.row() != last) {
        out.write(head.json());
        out.write('\n');
        count++;
      } else if (!sameTwice) {
        throw new IllegalArgumentException(
            "row " + last + " is in two of the files; name each part once");
      }
      last = head.row();
      add(heads, sources, head.part(), last);
    }
    return count;
  }

  private void add(PriorityQueue<Head> heads, List<RowSource> sources, int part, long before)
      throws IOException {
    Row row = sources.get(part).next();
    if (row == null) {
      return;
    }
    JsonNode number = RowParser.parse(row).path(field).path("row");
    if (!number.isIntegralNumber()) {
      throw new IllegalArgumentException(
          row.place()
              + " has no number of a row under \""
              + field
              + "\".\"row\": it is no output of a batch with field("
              + field
              + ")");
    }
    if (number.longValue() <= before) {
      throw new IllegalArgumentException(row.place() + ": the rows are not in their order");
    }
    heads.add(new Head(number.longValue(), row.json().strip(), part));
  }
}
