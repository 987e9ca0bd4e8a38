package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InputStream;
import java.util.Optional;
import java.util.StringJoiner;
import java.util.function.LongPredicate;

/**
 * Rows of files of which one has been looked at, so that their schema is known. They can be read
 * several times.
 */
public final class DataSet {
  /** So many rows are looked at for one that tells the schema. */
  private static final int FIRST_ROWS = 100;

  private final DataQuery query;
  private final Optional<RowCondition> condition;
  private final Schema schema;
  private final Example first;

  private DataSet(DataQuery query, Optional<RowCondition> condition, Schema schema, Example first) {
    this.query = query;
    this.condition = condition;
    this.schema = schema;
    this.first = first;
  }

  /**
   * Looks at the first rows.
   *
   * @throws IllegalArgumentException if none of them can be read; it says what is wrong with the
   *     last one
   * @throws IOException if a file cannot be read
   */
  public static DataSet of(DataQuery query) throws IOException {
    Optional<RowCondition> condition = RowCondition.of(query.where());
    IllegalArgumentException problem =
        new IllegalArgumentException("there are no rows in " + String.join(", ", query.files()));
    try (RowSource source = open(query)) {
      Row row;
      for (int i = 0; i < FIRST_ROWS && (row = source.next()) != null; i++) {
        if (row.isBlank()) {
          continue;
        }
        try {
          JsonNode node = RowParser.parse(row);
          Schema schema = query.schema().isPresent() ? Schemas.of(query.schema().get()) : of(node);
          return new DataSet(query, condition, schema, schema.read(node));
        } catch (IllegalArgumentException e) {
          problem = new IllegalArgumentException(row.place() + ": " + e.getMessage(), e);
        }
      }
    }
    throw problem;
  }

  private static Schema of(JsonNode node) {
    return Schemas.recognise(node)
        .orElseThrow(
            () -> {
              StringJoiner names = new StringJoiner(", ");
              node.fieldNames().forEachRemaining(names::add);
              return new IllegalArgumentException(
                  "the columns "
                      + names
                      + " are those of no schema that is known; choose one with schema(NAME)");
            });
  }

  /** How the rows are read. */
  public Schema schema() {
    return schema;
  }

  /** What the first row means that can be read. */
  public Example first() {
    return first;
  }

  /** All rows of the files. */
  public RowSource open() {
    return open(query);
  }

  private static RowSource open(DataQuery query) {
    return DataFiles.open(query.files(), InputStream.nullInputStream());
  }

  /**
   * The rows that the query asks for, and no others, so that they stay the same in another order.
   * Blank ones are left out; those that cannot be read come.
   */
  public RowSource selected() throws IOException {
    RowSelection selection = select();
    RowSource rows = selection.until(open());
    return new RowSource() {
      @Override
      public Row next() throws IOException {
        Row row = rows.next();
        while (row != null && (row.isBlank() || !selection.has(row))) {
          row = rows.next();
        }
        return row;
      }

      @Override
      public double share() {
        return rows.share();
      }

      @Override
      public void close() throws IOException {
        rows.close();
      }
    };
  }

  /**
   * What a row means.
   *
   * @throws IllegalArgumentException if it cannot be read
   */
  public Example read(Row row) {
    return schema.read(RowParser.parse(row));
  }

  /** The rows that the query asks for. */
  public RowSelection select() throws IOException {
    return select(_ -> false, Shard.WHOLE, "");
  }

  /**
   * The rows that the query asks for, in part.
   *
   * @param done whether a row of this number needs no reward any more
   * @param shard which part
   * @param field that rows must not have yet; an empty text for none
   * @throws IOException if a sample is asked for, for which all rows are read, and they cannot be
   */
  public RowSelection select(LongPredicate done, Shard shard, String field) throws IOException {
    LongPredicate sampled = _ -> true;
    if (query.sample().isPresent()) {
      try (RowSource all = open()) {
        sampled = RowSelection.sample(all, query.sample().get(), query.seed(), condition);
      }
    }
    return new RowSelection(schema, condition, sampled, query.limit(), shard, done, field);
  }
}
