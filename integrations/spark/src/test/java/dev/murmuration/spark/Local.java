package dev.murmuration.spark;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/** One session with two threads for all tests, and rows to score. */
final class Local {
  static final SparkSession SPARK =
      SparkSession.builder()
          .master("local[2]")
          .appName("tests")
          .config("spark.ui.enabled", false)
          .config("spark.sql.shuffle.partitions", 4)
          .config("spark.driver.bindAddress", "127.0.0.1")
          .config("spark.driver.host", "127.0.0.1")
          .config("spark.sql.warehouse.dir", Path.of("target/warehouse").toUri().toString())
          .getOrCreate();

  static final StructType SCHEMA =
      new StructType()
          .add("id", DataTypes.IntegerType)
          .add("prompt", DataTypes.StringType)
          .add("response", DataTypes.StringType);

  private static final List<String> PROMPTS =
      List.of("How do I boil an egg?", "Who wrote Faust?", "Name a river.", "Is 91 prime?");
  private static final List<String> ANSWERS =
      List.of("Gladly:", "I think", "No.", "That depends on");

  private Local() {}

  /** Exact, on one thread: two cores have other things to do. */
  static RewardModelTransformer stage() {
    return new RewardModelTransformer()
        .setModel(RewardSettings.EMBEDDED)
        .setPrecision("exact")
        .setThreads(1);
  }

  /** What {@link #stage} loads. */
  static RewardSettings settings() {
    return RewardSettings.of(RewardSettings.EMBEDDED)
        .option("precision", "exact")
        .option("threads", 1);
  }

  /** Rows of which none is like another, and some have the same prompt. */
  static List<Row> rows(int count) {
    return IntStream.range(0, count)
        .mapToObj(
            i ->
                RowFactory.create(
                    i,
                    PROMPTS.get(i % PROMPTS.size()) + " " + i % 7,
                    ANSWERS.get(i % 3) + " " + "so ".repeat(i % 11) + i))
        .toList();
  }

  static Dataset<Row> frame(List<Row> rows, int partitions) {
    // Range by range, so that the partitions together have the order of the list.
    return SPARK
        .createDataFrame(new ArrayList<>(rows), SCHEMA)
        .repartitionByRange(partitions, org.apache.spark.sql.functions.col("id"))
        .sortWithinPartitions("id");
  }
}
