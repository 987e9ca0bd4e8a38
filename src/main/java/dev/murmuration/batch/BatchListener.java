package dev.murmuration.batch;

import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;

/** Told how a batch goes, on the thread that runs it. */
public interface BatchListener {
  /**
   * Before anything is scored.
   *
   * @param schema by which rows are read
   * @param example what the first row means
   * @param from what earlier runs have done
   */
  void started(String schema, Example example, BatchCounts from);

  /** After a row. */
  void scored(BatchCounts counts);

  /**
   * A row that has no rewards.
   *
   * @param failure what is wrong with it
   */
  void failed(Row row, Throwable failure, BatchCounts counts);
}
