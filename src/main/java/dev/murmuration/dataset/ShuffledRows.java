package dev.murmuration.dataset;

import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.List;
import java.util.Random;

/** The rows of a source in another order, the same every time: each block of rows is shuffled. */
public final class ShuffledRows implements RowSource {
  private static final int BLOCK = 512;
  private static final long SEED = 1;

  private final RowSource source;
  private final Random random = new Random(SEED);
  private final Deque<Row> block = new ArrayDeque<>();

  /** How far the source was behind each row of the block, in its own order. */
  private final Deque<Double> shares = new ArrayDeque<>();

  private double share = Double.NaN;

  /**
   * @param source is closed with this one
   */
  public ShuffledRows(RowSource source) {
    this.source = source;
  }

  @Override
  public Row next() throws IOException {
    if (block.isEmpty()) {
      List<Row> rows = new ArrayList<>();
      for (Row row; rows.size() < BLOCK && (row = source.next()) != null; ) {
        rows.add(row);
        shares.add(source.share());
      }
      Collections.shuffle(rows, random);
      block.addAll(rows);
    }
    share = shares.isEmpty() ? share : shares.poll();
    return block.poll();
  }

  @Override
  public double share() {
    return share;
  }

  @Override
  public void close() throws IOException {
    source.close();
  }
}
