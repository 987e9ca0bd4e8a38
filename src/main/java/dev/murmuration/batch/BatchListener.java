package dev.murmuration.batch;

import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Reward;
import java.util.List;

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

  /** A row has its rewards. */
  void scored(List<Reward> rewards);

  /**
   * A row has none.
   *
   * @param failure what is wrong with it
   */
  void failed(Row row, Throwable failure);

  /**
   * So much of the input is read.
   *
   * @param share 0 to 1; NaN where nobody knows how much there is
   */
  default void reached(double share) {}
}
