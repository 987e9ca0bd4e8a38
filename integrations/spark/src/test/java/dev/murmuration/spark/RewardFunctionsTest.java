package dev.murmuration.spark;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.util.List;
import org.apache.spark.sql.Row;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class RewardFunctionsTest {
  @BeforeAll
  static void register() {
    RewardFunctions.register(Local.SPARK, Local.settings());
    Local.frame(Local.rows(60), 2).createOrReplaceTempView("answers");
  }

  private static List<Row> ask(String query) {
    return Local.SPARK.sql(query).collectAsList();
  }

  @Test
  void eachRowHasItsReward() throws Exception {
    List<Row> rows =
        ask(
            "SELECT prompt, response, murmur_reward(prompt, response), s.reward, s.error, s.tokens,"
                + " s.truncated_tokens FROM (SELECT *, murmur_score(prompt, response) AS s FROM"
                + " answers)");
    assertThat(rows).hasSize(60);
    try (RewardModel model = ModelFiles.load(Local.settings())) {
      for (Row row : rows) {
        Reward reward = model.score(row.getString(0), row.getString(1));
        assertThat(row.getDouble(2)).isEqualTo(reward.reward());
        assertThat(row.getDouble(3)).isEqualTo(reward.reward());
        assertThat(row.isNullAt(4)).isTrue();
        assertThat(row.getInt(5)).isEqualTo(reward.tokens());
        assertThat(row.getInt(6)).isZero();
      }
    }
  }

  @Test
  void allResponsesToAPromptAreScoredAtOnce() throws Exception {
    List<Row> rows =
        ask(
            "SELECT prompt, responses, murmur_scores(prompt, responses).reward FROM (SELECT prompt,"
                + " collect_list(response) AS responses FROM answers GROUP BY prompt)");
    assertThat(rows).hasSize(28);
    try (RewardModel model = ModelFiles.load(Local.settings())) {
      for (Row row : rows) {
        List<Double> expected =
            row.<String>getList(1).stream()
                .map(response -> model.score(row.getString(0), response).reward())
                .toList();
        assertThat(row.<Double>getList(2)).hasSizeGreaterThan(1).isEqualTo(expected);
      }
    }
    assertThat(
            ask("SELECT murmur_scores(prompt, null) FROM answers LIMIT 1").getFirst().isNullAt(0))
        .isTrue();
  }

  @Test
  void whatHasNoRewardIsNullAndSaysWhy() {
    Row row =
        ask("SELECT murmur_reward('', 'a'), murmur_score('', 'a').error, murmur_score('a', null)")
            .getFirst();
    assertThat(row.isNullAt(0)).isTrue();
    assertThat(row.getString(1)).contains("prompt is empty");
    assertThat(row.getStruct(2).getString(1)).contains("response is null");
    List<Row> some =
        ask("SELECT s.error FROM (SELECT explode(murmur_scores('a', array('b', null))) AS s)");
    assertThat(some.getFirst().isNullAt(0)).isTrue();
    assertThat(some.getLast().getString(0)).contains("response is null");
  }

  @Test
  void constantsAreScoredWithoutATask() {
    assertThat(ask("SELECT murmur_reward('Hello?', 'Hi!')").getFirst().getDouble(0))
        .isEqualTo(ask("SELECT murmur_score('Hello?', 'Hi!').reward").getFirst().getDouble(0));
  }

  @Test
  void aRowWithoutARewardFailsTheQueryIfItIsToldTo() {
    RewardFunctions.register(Local.SPARK, Local.settings().failOnError(true));
    try {
      assertThatThrownBy(() -> ask("SELECT murmur_reward('', response) FROM answers"))
          .hasStackTraceContaining("prompt is empty");
    } finally {
      register();
    }
  }
}
