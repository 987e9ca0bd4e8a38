package dev.murmuration.spark;

import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import org.apache.spark.TaskContext;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.api.java.UDF2;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import scala.collection.Seq;
import scala.jdk.javaapi.CollectionConverters;

/**
 * Rewards as functions of SQL.
 *
 * <pre>{@code
 * RewardFunctions.register(spark, RewardSettings.of("/models/rm.gguf"));
 * spark.sql("SELECT id, murmur_reward(prompt, response) AS reward FROM answers");
 * }</pre>
 *
 * <ul>
 *   <li>{@code murmur_reward(prompt, response)}: the reward, a double; null where there is none
 *   <li>{@code murmur_score(prompt, response)}: a struct of {@code reward}, {@code error}, {@code
 *       tokens} and {@code truncated_tokens}
 *   <li>{@code murmur_scores(prompt, responses)}: an array of such structs, one for each of an
 *       array of responses, in their order; null for null
 * </ul>
 *
 * <p>Spark gives a function one row at a time, so that no more rows are computed together than an
 * executor has tasks. {@link RewardModelTransformer} has many under way and is faster; {@code
 * murmur_scores} gives the engine all responses to a prompt at once.
 */
public final class RewardFunctions {
  private RewardFunctions() {}

  /**
   * Registers the functions in a session, in the place of those that were registered before.
   *
   * @param spark the session
   * @param settings which model scores, and how; with {@link RewardSettings#failOnError} a row
   *     without a reward fails the query
   */
  public static void register(SparkSession spark, RewardSettings settings) {
    StructType result = new StructType();
    for (ResultField field : ResultField.values()) {
      result = result.add(field.label(), field.type(), true);
    }
    UDF2<String, String, Double> reward =
        (prompt, response) -> scoreOne(settings, prompt, response).reward();
    UDF2<String, String, Row> score =
        (prompt, response) -> row(scoreOne(settings, prompt, response));
    UDF2<String, Seq<String>, Row[]> scores =
        (prompt, responses) ->
            responses == null
                ? null
                : score(settings, prompt, CollectionConverters.asJava(responses).iterator())
                    .stream()
                    .map(RewardFunctions::row)
                    .toArray(Row[]::new);
    spark.udf().register("murmur_reward", reward, DataTypes.DoubleType);
    spark.udf().register("murmur_score", score, result);
    spark.udf().register("murmur_scores", scores, DataTypes.createArrayType(result));
  }

  private static Row row(RewardResult result) {
    return RowFactory.create(
        Arrays.stream(ResultField.values()).map(field -> field.of(result)).toArray());
  }

  private static RewardResult scoreOne(RewardSettings settings, String prompt, String response)
      throws InterruptedException {
    return score(settings, prompt, Arrays.asList(response).iterator()).getFirst();
  }

  private static List<RewardResult> score(
      RewardSettings settings, String prompt, Iterator<String> responses)
      throws InterruptedException {
    TaskContext task = TaskContext.get();
    if (task != null) {
      RewardModel model = SharedModels.ofThisJvm().ofTask(task, settings);
      return score(model, settings, prompt, responses);
    }
    // An expression of constants is computed while the query is planned, outside of tasks.
    try (SharedModels.Lease lease = SharedModels.ofThisJvm().lease(settings)) {
      return score(lease.model(), settings, prompt, responses);
    }
  }

  private static List<RewardResult> score(
      RewardModel model, RewardSettings settings, String prompt, Iterator<String> responses) {
    List<RewardResult> results = new ArrayList<>();
    try (ScoringIterator<String, RewardResult> scored =
        new ScoringIterator<>(
            responses,
            response ->
                Input.of(RowInputs.text(prompt, "prompt"), RowInputs.text(response, "response")),
            (_, result) -> result,
            model,
            settings)) {
      scored.forEachRemaining(results::add);
    }
    return results;
  }
}
