package dev.murmuration.spark;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;

/** The parts of src/test/scripts/cluster.sh that are programs. */
public final class ClusterCheck {
  private static final int FILES = 40;

  private ClusterCheck() {}

  /**
   * Runs one of them.
   *
   * @param arguments {@code make ROWS WORDS INPUT [NUMBERS]}, {@code check NUMBERS OUTPUT…} or
   *     {@code rate INPUT EXECUTORS}
   */
  public static void main(String[] arguments) throws Exception {
    try (SparkSession spark = SparkSession.builder().getOrCreate()) {
      switch (arguments[0]) {
        case "make" -> {
          make(spark, Integer.parseInt(arguments[1]), Integer.parseInt(arguments[2]), arguments[3]);
          if (arguments.length > 4) {
            reference(spark, arguments[3], Path.of(arguments[4]));
          }
        }
        case "check" -> {
          for (String output : List.of(arguments).subList(2, arguments.length)) {
            check(spark, Path.of(arguments[1]), output);
          }
        }
        case "rate" -> rate(spark, arguments[1], Integer.parseInt(arguments[2]));
        case "functions" -> functions(spark, arguments[1]);
        default -> throw new IllegalArgumentException(arguments[0]);
      }
    }
  }

  /** Rows of which none is like another; four in a row have the same prompt. */
  private static void make(SparkSession spark, int count, int words, String input) {
    Dataset<Row> rows =
        spark
            .range(0, count, 1, FILES)
            .select(
                functions.col("id"),
                functions.expr("concat('How do I boil egg number ', id div 4, '?')").as("prompt"),
                functions
                    .expr("concat('Answer ', id, ': wait', repeat(' minutes', id % " + words + "))")
                    .as("response"));
    rows.write().parquet(input);
  }

  private static List<Row> sorted(SparkSession spark, String folder) {
    return spark.read().parquet(folder).orderBy("id").collectAsList();
  }

  /** What the library alone computes, in one call. */
  private static void reference(SparkSession spark, String input, Path numbers) throws IOException {
    List<Row> rows = sorted(spark, input);
    RewardSettings settings =
        RewardSettings.of(RewardSettings.EMBEDDED).option("precision", "exact");
    try (RewardModel model = ModelFiles.load(settings);
        DataOutputStream out =
            new DataOutputStream(new BufferedOutputStream(Files.newOutputStream(numbers)))) {
      List<Reward> rewards =
          model.scoreAll(
              rows.stream().map(row -> Input.of(row.getString(1), row.getString(2))).toList());
      for (Reward reward : rewards) {
        out.writeDouble(reward.reward());
      }
    }
  }

  private static void check(SparkSession spark, Path numbers, String output) throws IOException {
    List<Row> rows = sorted(spark, output);
    long expected = Files.size(numbers) / Double.BYTES;
    if (rows.size() != expected) {
      throw new IllegalStateException(rows.size() + " rows in " + output + ", not " + expected);
    }
    try (DataInputStream in =
        new DataInputStream(new BufferedInputStream(Files.newInputStream(numbers)))) {
      for (int i = 0; i < rows.size(); i++) {
        Row row = rows.get(i);
        double reward = in.readDouble();
        if (row.getLong(0) != i || !row.isNullAt(4) || row.getDouble(3) != reward) {
          throw new IllegalStateException(row + " in " + output + "; the reward is " + reward);
        }
      }
    }
    System.out.println(rows.size() + " rows in " + output + " are those of scoreAll, bit by bit");
  }

  /** Rows a second, of executors that have loaded the model and compiled their code. */
  private static void rate(SparkSession spark, String input, int executors) {
    Dataset<Row> rows = spark.read().parquet(input);
    RewardModelTransformer stage =
        new RewardModelTransformer()
            .setModel(RewardSettings.EMBEDDED)
            .setPrecision("exact")
            .setThreads(1);
    Dataset<Row> scored = stage.transform(rows);
    double _ = seconds(stage.transform(rows.where("id % 3 = 0")));
    double seconds = seconds(scored);
    int used = spark.sparkContext().statusTracker().getExecutorInfos().length - 1;
    if (used != executors) {
      throw new IllegalStateException(used + " executors, not " + executors);
    }
    System.out.printf("%d executors: %.1f rows/s%n", used, rows.count() / seconds);
  }

  /** Rows a second of the stage, and of a function of SQL, in turns. */
  private static void functions(SparkSession spark, String input) {
    Dataset<Row> rows = spark.read().parquet(input);
    RewardSettings settings =
        RewardSettings.of(RewardSettings.EMBEDDED)
            .option("precision", "exact")
            .option("threads", 1);
    RewardFunctions.register(spark, settings);
    RewardModelTransformer stage =
        new RewardModelTransformer()
            .setModel(RewardSettings.EMBEDDED)
            .setPrecision("exact")
            .setThreads(1);
    Dataset<Row> byStage = stage.transform(rows);
    Dataset<Row> byFunction =
        rows.withColumn("reward", functions.expr("murmur_reward(prompt, response)"));
    long count = rows.count();
    for (int turn = 0; turn < 3; turn++) {
      // The first turn warms up.
      System.out.printf(
          "stage %.1f rows/s, function %.1f rows/s%n",
          count / seconds(byStage), count / seconds(byFunction));
    }
  }

  private static double seconds(Dataset<Row> scored) {
    long start = System.nanoTime();
    scored.write().format("noop").mode("overwrite").save();
    return (System.nanoTime() - start) / 1e9;
  }
}
