package dev.murmuration.spark;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.reward.Input;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Pattern;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The examples of README.md work, and are the ones here. */
class ReadmeTest {
  @TempDir private Path directory;

  private void stage(SparkSession spark, String answers, String rewards) {
    Dataset<Row> scored =
        new RewardModelTransformer()
            .setModel("embedded") // or a GGUF file: /models/starling-rm-7b-alpha-q4.gguf
            .setPromptCol("question")
            .setResponseCol("answer")
            .setPartitionByPrompt(
                true) // what answers to a question have in common is computed once
            .transform(spark.read().parquet(answers));
    scored.write().parquet(rewards); // the same columns, and reward and error
  }

  private void sql(SparkSession spark) {
    RewardFunctions.register(spark, RewardSettings.of("embedded").option("precision", "exact"));
    spark
        .sql("SELECT question, answer, murmur_reward(question, answer) AS reward FROM answers")
        .show();
  }

  private Dataset<String> objects(Dataset<String> texts) {
    Dataset<String> lines =
        texts.mapPartitions(
            new ScorePartitions<>(
                RewardSettings.of("embedded"),
                (String text) -> Input.text(text),
                (text, result) -> result.reward() + " " + text),
            Encoders.STRING());
    return lines;
  }

  @Test
  void theExamplesAreThoseThatRunHere() throws Exception {
    SparkSession spark = Local.SPARK;
    String answers = directory.resolve("answers").toUri().toString();
    String rewards = directory.resolve("rewards").toUri().toString();
    Local.frame(Local.rows(20), 2)
        .withColumnsRenamed(java.util.Map.of("prompt", "question", "response", "answer"))
        .write()
        .parquet(answers);
    stage(spark, answers, rewards);
    assertThat(spark.read().parquet(rewards).where("reward IS NOT NULL").count()).isEqualTo(20);
    spark.read().parquet(answers).createOrReplaceTempView("answers");
    sql(spark);
    assertThat(objects(spark.createDataset(List.of("a", "b"), Encoders.STRING())).collectAsList())
        .satisfiesExactly(
            line -> assertThat(line).matches("-?[0-9.]+ a"),
            line -> assertThat(line).matches("-?[0-9.]+ b"));

    String tested =
        Files.readString(Path.of("src/test/java/dev/murmuration/spark/ReadmeTest.java"));
    List<String> shown =
        Pattern.compile("```java\n(.*?)```", Pattern.DOTALL)
            .matcher(Files.readString(Path.of("README.md")))
            .results()
            .map(match -> match.group(1))
            .toList();
    assertThat(shown).hasSize(3);
    for (String example : shown) {
      assertThat(tested.replaceAll("\\s+", "")).contains(example.replaceAll("\\s+", ""));
    }
  }
}
