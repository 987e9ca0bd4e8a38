package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Optional;
import java.util.PriorityQueue;
import java.util.function.Function;
import java.util.function.LongPredicate;

/**
 * Which rows of an input are scored, and what they mean: those that fulfil the condition, of these
 * a sample, of these the first ones, and of these one part. So the parts together are what would be
 * scored without parts. For one thread at a time.
 */
public final class RowSelection implements Function<Row, Optional<Example>> {
  private final Schema schema;
  private final String field;
  private final Optional<RowCondition> condition;
  private final LongPredicate sampled;
  private final long limit;
  private final Shard shard;
  private final LongPredicate done;
  private long taken;

  /**
   * @param sampled whether a row of this number is in the sample
   * @param done whether a row of this number needs no reward any more
   * @param field that rows must not have yet; an empty text for none
   */
  RowSelection(
      Schema schema,
      Optional<RowCondition> condition,
      LongPredicate sampled,
      long limit,
      Shard shard,
      LongPredicate done,
      String field) {
    this.schema = schema;
    this.condition = condition;
    this.sampled = sampled;
    this.limit = limit;
    this.shard = shard;
    this.done = done;
    this.field = field;
  }

  /** Whether no further row can be one of them. */
  private boolean isExhausted() {
    return taken >= limit;
  }

  /** Rows of a source, as long as one of them can be among the first ones. */
  public RowSource until(RowSource source) {
    return new RowSource() {
      @Override
      public Row next() throws IOException {
        return isExhausted() ? null : source.next();
      }

      @Override
      public double share() {
        return source.share();
      }

      @Override
      public void close() throws IOException {
        source.close();
      }
    };
  }

  /** Whether a row is one of them, be it that it cannot be read. */
  boolean has(Row row) {
    try {
      return apply(row).isPresent();
    } catch (IllegalArgumentException e) {
      return true;
    }
  }

  @Override
  public Optional<Example> apply(Row row) {
    boolean isDone = done.test(row.number());
    if (isExhausted() || !sampled.test(row.number()) || (isDone && condition.isEmpty())) {
      taken += isDone && sampled.test(row.number()) ? 1 : 0;
      return Optional.empty();
    }
    JsonNode node;
    try {
      node = RowParser.parse(row);
      if (condition.isPresent() && !condition.get().test(node)) {
        return Optional.empty();
      }
    } catch (IllegalArgumentException e) {
      // Nobody knows what it means; so that it fails in one part alone, its text decides.
      return failed(row, isDone, e);
    }
    taken++;
    if (isDone) {
      return Optional.empty();
    }
    Example example;
    try {
      if (!field.isEmpty() && node.has(field)) {
        throw new IllegalArgumentException(
            "the row has a column \"" + field + "\" already; choose another name with field(NAME)");
      }
      example = schema.read(node);
    } catch (IllegalArgumentException e) {
      taken--;
      return failed(row, false, e);
    }
    String prompt = example.prompt().isEmpty() ? row.json() : example.prompt();
    return shard.has(prompt) ? Optional.of(example) : Optional.empty();
  }

  private Optional<Example> failed(Row row, boolean isDone, IllegalArgumentException problem) {
    taken++;
    if (isDone || !shard.has(row.json() == null ? row.place() : row.json())) {
      return Optional.empty();
    }
    throw problem;
  }

  /**
   * The numbers of a sample of rows: those for which a hash is smallest. The input is read once.
   *
   * @param rows is read to its end
   */
  static LongPredicate sample(RowSource rows, int size, long seed, Optional<RowCondition> condition)
      throws IOException {
    PriorityQueue<Long> smallest = new PriorityQueue<>((a, b) -> Long.compareUnsigned(b, a));
    for (Row row; (row = rows.next()) != null; ) {
      if (!row.isBlank() && fulfils(row, condition)) {
        smallest.add(hash(seed, row.number()));
        if (smallest.size() > size) {
          smallest.poll();
        }
      }
    }
    if (smallest.isEmpty()) {
      return number -> false;
    }
    long largest = smallest.peek();
    return number -> Long.compareUnsigned(hash(seed, number), largest) <= 0;
  }

  private static boolean fulfils(Row row, Optional<RowCondition> condition) {
    try {
      return condition.isEmpty() || condition.get().test(RowParser.parse(row));
    } catch (IllegalArgumentException e) {
      return true; // It is reported when it is its turn.
    }
  }

  /** A different number for each row (the finalizer of SplitMix64, which is one to one). */
  private static long hash(long seed, long number) {
    long z = number + seed * 0x9E3779B97F4A7C15L;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }
}
