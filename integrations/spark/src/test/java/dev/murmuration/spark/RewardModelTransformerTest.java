package dev.murmuration.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import dev.murmuration.reward.Precision;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.apache.spark.ml.Pipeline;
import org.apache.spark.ml.PipelineModel;
import org.apache.spark.ml.PipelineStage;
import org.apache.spark.ml.feature.SQLTransformer;
import org.apache.spark.ml.param.ParamMap;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.functions;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RewardModelTransformerTest {
  private static RewardModel model;

  @BeforeAll
  static void load() throws Exception {
    model =
        RewardModel.loadEmbedded(
            RewardModelOptions.defaults().precision(Precision.EXACT).threads(1));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static List<Reward> expected(List<Row> rows) {
    return model.scoreAll(
        rows.stream().map(row -> Input.of(row.getString(1), row.getString(2))).toList());
  }

  @Test
  void rewardsAreThoseOfScoreAllInTheSameOrder() {
    List<Row> rows = Local.rows(600);
    List<Row> scored =
        Local.stage()
            .setTokensCol("tokens")
            .setWindow(32)
            .transform(Local.frame(rows, 3))
            .collectAsList();
    List<Reward> expected = expected(rows);
    assertThat(scored).hasSize(600);
    for (int i = 0; i < 600; i++) {
      Reward reward = expected.get(i);
      assertThat(scored.get(i))
          .isEqualTo(
              RowFactory.create(
                  i,
                  rows.get(i).getString(1),
                  rows.get(i).getString(2),
                  reward.reward(),
                  null,
                  reward.tokens()));
    }
  }

  @Test
  void isAStageOfAPipelineThatIsSavedAndLoaded(@TempDir Path directory) throws Exception {
    RewardModelTransformer stage =
        Local.stage()
            .setRewardCol("score")
            .setLiteral(true)
            .setTimeoutSeconds(60.5)
            .setPartitions(3);
    SQLTransformer best =
        new SQLTransformer()
            .setStatement(
                "SELECT prompt, max_by(response, score) AS best FROM __THIS__ GROUP BY prompt");
    Dataset<Row> rows = Local.frame(Local.rows(40), 2);
    PipelineModel fitted = new Pipeline().setStages(new PipelineStage[] {stage, best}).fit(rows);
    String path = directory.resolve("pipeline").toUri().toString();
    fitted.write().save(path);
    PipelineModel loaded = PipelineModel.load(path);
    RewardModelTransformer again = (RewardModelTransformer) loaded.stages()[0];
    assertThat(again.uid()).isEqualTo(stage.uid());
    assertThat(again.explainParams()).isEqualTo(stage.explainParams()).contains("60.5");
    assertThat(again.copy(new ParamMap()).explainParams()).isEqualTo(stage.explainParams());
    List<Row> result = loaded.transform(rows).orderBy("prompt").collectAsList();
    assertThat(result)
        .hasSizeGreaterThan(1)
        .isEqualTo(fitted.transform(rows).orderBy("prompt").collectAsList());
    String alone = directory.resolve("stage").toUri().toString();
    stage.save(alone);
    assertThat(RewardModelTransformer.load(alone).explainParams()).isEqualTo(stage.explainParams());
  }

  @Test
  void messagesAreScoredAsConversations() {
    Row turns =
        RowFactory.create(
            List.of(
                RowFactory.create("system", "Be brief."),
                RowFactory.create("user", "Hello?"),
                RowFactory.create("assistant", "Hi!")));
    Row noAnswer = RowFactory.create(List.of(RowFactory.create("user", "Hello?")));
    Row noRole = RowFactory.create(List.of(RowFactory.create("usr", "Hello?")));
    Row noText =
        RowFactory.create(
            List.of(RowFactory.create("user", "Hello?"), RowFactory.create("assistant", null)));
    Row none = RowFactory.create((Object) null);
    StructType schema =
        new StructType()
            .add(
                "turns",
                DataTypes.createArrayType(
                    new StructType()
                        .add("role", DataTypes.StringType)
                        .add("content", DataTypes.StringType)));
    List<Row> scored =
        Local.stage()
            .setMessagesCol("turns")
            .transform(
                Local.SPARK.createDataFrame(List.of(turns, noAnswer, noRole, noText, none), schema))
            .collectAsList();
    Conversation conversation =
        new Conversation(
            List.of(Message.system("Be brief."), Message.user("Hello?"), Message.assistant("Hi!")));
    assertThat(scored.getFirst().getDouble(1)).isEqualTo(model.score(conversation).reward());
    assertThat(scored.subList(1, 5)).allMatch(row -> row.isNullAt(1));
    assertThat(scored.stream().map(row -> row.getString(2)))
        .satisfiesExactly(
            error -> assertThat(error).isNull(),
            error -> assertThat(error).contains("no response"),
            error -> assertThat(error).contains("no role 'usr'"),
            error -> assertThat(error).contains("turns[1].content is null"),
            error -> assertThat(error).contains("turns is null"));
  }

  private static final List<Row> SOME_BAD =
      List.of(
          RowFactory.create(0, "Hello?", "Hi!"),
          RowFactory.create(1, null, "Hi!"),
          RowFactory.create(2, "Hello?", null),
          RowFactory.create(3, "", "Hi!"),
          RowFactory.create(4, "Hello?", "word ".repeat(100)),
          RowFactory.create(5, "Hello?", ""));

  @Test
  void aRowWithoutARewardHasAnError() {
    RewardModelTransformer stage =
        Local.stage().setTruncate(false).setContextLength(64).setTokensCol("tokens");
    List<Row> scored = stage.transform(Local.frame(SOME_BAD, 1)).collectAsList();
    assertThat(scored.stream().map(row -> row.isNullAt(3)))
        .containsExactly(false, true, true, true, true, false);
    assertThat(scored.stream().map(row -> row.isNullAt(5)))
        .containsExactly(false, true, true, true, true, false);
    assertThat(scored.stream().map(row -> row.getString(4)))
        .satisfiesExactly(
            error -> assertThat(error).isNull(),
            error -> assertThat(error).contains("prompt is null"),
            error -> assertThat(error).contains("response is null"),
            error -> assertThat(error).contains("prompt is empty"),
            error -> assertThat(error).contains("64"),
            error -> assertThat(error).isNull());
    assertThat(scored.getFirst().getDouble(3)).isEqualTo(model.score("Hello?", "Hi!").reward());
  }

  @Test
  void aRowWithoutARewardFailsTheJobIfItIsToldTo() {
    Dataset<Row> scored = Local.stage().setFailOnError(true).transform(Local.frame(SOME_BAD, 1));
    assertThatThrownBy(scored::collectAsList)
        .hasStackTraceContaining("row 2 of this partition has no reward: prompt is null");
  }

  @Test
  void whatIsCutOffIsCounted() {
    List<Row> scored =
        Local.stage()
            .setContextLength(64)
            .setTokensCol("tokens")
            .setTruncatedTokensCol("cut")
            .transform(Local.frame(SOME_BAD.subList(4, 5), 1))
            .collectAsList();
    assertThat(scored.getFirst().getInt(5)).isEqualTo(64);
    assertThat(scored.getFirst().getInt(6)).isPositive();
  }

  @Test
  void rowsWithACommonPromptComeTogether() {
    List<Row> rows = Local.rows(300);
    List<Row> scored =
        Local.stage()
            .setPartitionByPrompt(true)
            .setPartitions(3)
            .transform(Local.SPARK.createDataFrame(rows, Local.SCHEMA).repartition(5))
            .withColumn("partition", functions.spark_partition_id())
            .collectAsList();
    Map<String, Set<Integer>> partitions = new HashMap<>();
    String last = "";
    Set<String> seen = new HashSet<>();
    List<Reward> expected = expected(rows);
    for (Row row : scored) {
      String prompt = row.getString(1);
      partitions.computeIfAbsent(prompt, _ -> new HashSet<>()).add(row.getInt(5));
      assertThat(row.getDouble(3)).isEqualTo(expected.get(row.getInt(0)).reward());
      // Beside each other, too.
      assertThat(prompt.equals(last) || seen.add(prompt)).isTrue();
      last = prompt;
    }
    assertThat(scored).hasSize(300);
    assertThat(partitions).hasSize(28).allSatisfy((_, in) -> assertThat(in).hasSize(1));
    assertThat(new HashSet<>(partitions.values())).hasSizeGreaterThan(1);
  }

  @Test
  void otherColumnsStayAsTheyAre() {
    Dataset<Row> rows =
        Local.SPARK.sql(
            "SELECT 'Hello?' AS prompt, 'Hi!' AS response, array(1, null) AS list, map('a',"
                + " named_struct('b', 1.50)) AS map, timestamp'2026-01-01 00:00:00' AS time,"
                + " cast(null AS string) AS nothing, x'0102' AS bytes, 5Y AS small");
    Dataset<Row> scored = Local.stage().transform(rows);
    assertThat(Arrays.copyOf(scored.schema().fields(), 8)).isEqualTo(rows.schema().fields());
    assertThat(scored.drop("reward", "error").toJSON().collectAsList())
        .isEqualTo(rows.toJSON().collectAsList());
  }

  @Test
  void noRowsHaveNoRewards() {
    Dataset<Row> none = Local.SPARK.createDataFrame(Collections.<Row>emptyList(), Local.SCHEMA);
    assertThat(Local.stage().setModel("/no/such.gguf").transform(none).collectAsList()).isEmpty();
  }

  @Test
  void whatDoesNotFitIsRefusedBeforeTheJob() {
    RewardModelTransformer stage = Local.stage();
    assertRefused(new RewardModelTransformer(), "model is not set", "embedded");
    assertRefused(Local.stage().setPromptCol("question"), "no column 'question'", "prompt");
    assertRefused(Local.stage().setResponseCol("id"), "'id' is of type int");
    assertRefused(Local.stage().setMessagesCol("prompt"), "array<struct<role");
    assertRefused(
        Local.stage().setMessagesCol("m").setPromptCol("prompt"), "messagesCol", "promptCol");
    assertRefused(Local.stage().setRewardCol("id"), "a column 'id' already", "rewardCol");
    assertRefused(Local.stage().setErrorCol("reward"), "a column 'reward' already", "errorCol");
    assertRefused(Local.stage().setErrorCol("Prompt"), "a column 'prompt' already", "errorCol");
    assertThatThrownBy(() -> stage.transformSchema(Local.SCHEMA.add("prompt", "string")))
        .hasMessageContaining("there are 2 columns 'prompt'");
    assertRefused(Local.stage().setPrecision("best"), "no precision 'best'");
    assertRefused(Local.stage().setThreads(-1), "threads");
    assertRefused(Local.stage().setTimeoutSeconds(0), "timeoutSeconds is '0.0'");
    assertRefused(Local.stage().setTemplate("none"), "no template 'none'");
    assertRefused(
        Local.stage().setTemplate("raw").setTemplateFile("t.jinja"), "template and templateFile");
    assertRefused(Local.stage().setWindow(0), "window is 0");
    assertThat(stage.transformSchema(Local.SCHEMA).fieldNames())
        .containsExactly("id", "prompt", "response", "reward", "error");
  }

  private static void assertRefused(RewardModelTransformer stage, String... words) {
    assertThatThrownBy(() -> stage.transformSchema(Local.SCHEMA))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll(words);
  }

  @Test
  void aModelThatCannotBeLoadedFailsTheJob() {
    Dataset<Row> rows = Local.frame(Local.rows(4), 2);
    assertThatThrownBy(() -> Local.stage().setModel("/no/such.gguf").transform(rows).count())
        .hasStackTraceContaining("'/no/such.gguf' cannot be loaded on ")
        .hasStackTraceContaining("--files");
    assertThatThrownBy(() -> Local.stage().setModel("such.gguf").transform(rows).count())
        .hasStackTraceContaining("no file 'such.gguf' was added to the job");
  }

  @Test
  void nothingIsComputedOnTheCpuIfAGpuWasAskedFor() {
    Dataset<Row> rows = Local.frame(Local.rows(4), 2);
    assertThatThrownBy(() -> Local.stage().setGpuLayers(1).transform(rows).count())
        .hasStackTraceContaining("1 layer on the GPU was asked for (gpuLayers)");
    assertThatThrownBy(() -> Local.stage().setDevice("CUDA7").transform(rows).count())
        .hasStackTraceContaining("no device 'CUDA7'");
  }

  @Test
  void aFileThatWasAddedIsFoundByItsName() {
    Local.SPARK.sparkContext().addFile(model.file().toString());
    List<Row> rows = Local.rows(4);
    String name = model.file().getFileName().toString();
    List<Row> scored = Local.stage().setModel(name).transform(Local.frame(rows, 1)).collectAsList();
    assertThat(scored.stream().map(row -> row.getDouble(3)))
        .containsExactlyElementsOf(expected(rows).stream().map(Reward::reward).toList());
  }
}
