package dev.murmuration.spark;

import java.io.IOException;
import java.util.NoSuchElementException;
import org.apache.spark.ml.param.BooleanParam;
import org.apache.spark.ml.param.DoubleParam;
import org.apache.spark.ml.param.IntParam;
import org.apache.spark.ml.param.Param;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SaveMode;
import org.apache.spark.sql.SparkSession;

/**
 * Scores Parquet files to Parquet files, for {@code spark-submit}:
 *
 * <pre>{@code
 * spark-submit --class dev.murmuration.spark.ScoreParquet murmuration-spark.jar \
 *   --input answers --output rewards --model /models/rm.gguf --partitionByPrompt true
 * }</pre>
 *
 * <p>Besides {@code --input} and {@code --output} it takes all parameters of {@link
 * RewardModelTransformer} by their names. It refuses an output that is there already.
 */
public final class ScoreParquet {
  private String input;
  private String output;
  private final RewardModelTransformer stage = new RewardModelTransformer("murmuration");

  private ScoreParquet() {}

  /**
   * Runs the job, and says on standard error how many rows there were.
   *
   * @param arguments {@code --input PATH --output PATH --model MODEL [--PARAMETER VALUE]…}
   * @throws IllegalArgumentException if an argument is not known or has no value, or one of these
   *     three is missing
   * @throws IOException if the session cannot be closed
   */
  public static void main(String[] arguments) throws IOException {
    ScoreParquet job = new ScoreParquet();
    job.read(arguments);
    try (SparkSession spark = SparkSession.builder().appName("murmuration").getOrCreate()) {
      job.run(spark);
    }
  }

  private void read(String[] arguments) {
    for (int i = 0; i < arguments.length; i += 2) {
      String name = arguments[i];
      if (!name.startsWith("--") || i + 1 == arguments.length) {
        throw new IllegalArgumentException(
            "'"
                + name
                + "' is no parameter with a value; give --input PATH, --output PATH and:\n"
                + stage.explainParams());
      }
      set(name.substring(2), arguments[i + 1]);
    }
    if (input == null || output == null || !stage.isDefined(stage.model())) {
      throw new IllegalArgumentException("give --input PATH, --output PATH and --model MODEL");
    }
  }

  private void set(String name, String value) {
    switch (name) {
      case "input" -> input = value;
      case "output" -> output = value;
      default -> stage.set(param(name), value(param(name), value));
    }
  }

  private Param<Object> param(String name) {
    try {
      return stage.getParam(name);
    } catch (NoSuchElementException e) {
      throw new IllegalArgumentException(
          "no parameter '" + name + "'; there are:\n" + stage.explainParams(), e);
    }
  }

  private static Object value(Param<?> param, String value) {
    try {
      return switch (param) {
        case IntParam _ -> Integer.valueOf(value);
        case DoubleParam _ -> Double.valueOf(value);
        case BooleanParam _ when value.equals("true") || value.equals("false") ->
            Boolean.valueOf(value);
        case BooleanParam _ -> throw new IllegalArgumentException("give true or false");
        default -> value;
      };
    } catch (IllegalArgumentException e) {
      throw new IllegalArgumentException(
          param.name() + " is '" + value + "': " + e.getMessage(), e);
    }
  }

  private void run(SparkSession spark) {
    Dataset<Row> rows = spark.read().parquet(input);
    stage.transform(rows).write().mode(SaveMode.ErrorIfExists).parquet(output);
    Dataset<Row> written = spark.read().parquet(output);
    String error = stage.getOrDefault(stage.errorCol());
    System.err.println(
        written.count()
            + " rows, of which "
            + written.where(written.col(error).isNotNull()).count()
            + " have no reward (column "
            + error
            + " says why), in "
            + output);
  }
}
