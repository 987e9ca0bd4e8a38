package dev.murmuration.batch;

import dev.murmuration.dataset.DataQuery;
import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.nio.file.Path;
import java.util.List;

/** Runs a batch in a JVM that ends at once, without closing anything, after so many rows. */
final class BatchMain {
  /** The exit code of a process that was killed. */
  static final int KILLED = 137;

  private BatchMain() {}

  /**
   * Runs it.
   *
   * @param arguments input, output, and after how many rows to end
   */
  public static void main(String[] arguments) throws Exception {
    BatchJob job = BatchJob.of(DataQuery.all(List.of(arguments[0])), Path.of(arguments[1]));
    try (RewardModel model = RewardModel.loadEmbedded()) {
      new Batch(job, model, false, Throwable::getMessage, 0)
          .run(new Killer(Integer.parseInt(arguments[2])));
    } catch (java.io.IOException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  private static final class Killer implements BatchListener {
    private int left;

    Killer(int rows) {
      left = rows;
    }

    @Override
    public void started(String schema, Example example, BatchCounts from) {
      System.out.println(from.row());
    }

    @Override
    public void scored(List<Reward> rewards) {
      if (left-- == 0) {
        Runtime.getRuntime().halt(KILLED);
      }
    }

    @Override
    public void failed(Row row, Throwable failure) {
      scored(List.of());
    }
  }
}
