package dev.murmuration.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.langchain4j.data.segment.TextSegment;
import dev.langchain4j.model.output.Response;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.ContentMetadata;
import dev.langchain4j.rag.content.aggregator.ReRankingContentAggregator;
import dev.langchain4j.rag.query.Query;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.reward.ScoringTimeoutException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class MurmurationScoringModelTest {
  private static final String QUERY = "How do I boil an egg?";
  private static final List<TextSegment> SEGMENTS =
      List.of(
          TextSegment.from("Go away."),
          TextSegment.from("Put the egg in boiling water for eight minutes."),
          TextSegment.from("Put the egg in boiling water. I do not care."));

  private static RewardModel model;
  private static MurmurationScoringModel scoring;

  @BeforeAll
  static void load() throws Exception {
    model = RewardModel.loadEmbedded();
    scoring = MurmurationScoringModel.of(model);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private static List<Reward> rewards() {
    return model.scoreAll(
        SEGMENTS.stream().map(segment -> Input.of(QUERY, segment.text())).toList());
  }

  private static List<Double> numbers() {
    return rewards().stream().map(Reward::reward).toList();
  }

  @Test
  void scoresAreRewardsInTheOrderOfTheSegments() {
    Response<List<Double>> response = scoring.scoreAll(SEGMENTS, QUERY);
    assertThat(response.content()).isEqualTo(numbers()).doesNotHaveDuplicates();
    assertThat(response.metadata()).containsEntry(MurmurationScoringModel.REWARDS, rewards());
    assertThat(response.tokenUsage().inputTokenCount())
        .isEqualTo(rewards().stream().mapToInt(Reward::tokens).sum());
    assertThat(response.tokenUsage().totalTokenCount())
        .isEqualTo(response.tokenUsage().inputTokenCount());
  }

  @Test
  void theTextComesBeforeTheQuery() {
    double reward = model.score(QUERY, "Go away.").reward();
    Response<Double> response = scoring.score("Go away.", QUERY);
    assertThat(response.content()).isEqualTo(reward);
    assertThat(response.tokenUsage().totalTokenCount())
        .isEqualTo(model.score(QUERY, "Go away.").tokens());
    assertThat(scoring.score(QUERY, "Go away.").content()).isNotEqualTo(reward);
  }

  @Test
  void contentsAreRankedByReward() {
    Query query = Query.from(QUERY);
    List<Content> ranked =
        ReRankingContentAggregator.builder()
            .scoringModel(scoring)
            .maxResults(2)
            .build()
            .aggregate(Map.of(query, List.of(SEGMENTS.stream().map(Content::from).toList())));
    assertThat(ranked)
        .extracting(Content::textSegment)
        .isEqualTo(
            model.rank(QUERY, SEGMENTS.stream().map(TextSegment::text).toList()).entries().stream()
                .limit(2)
                .map(entry -> SEGMENTS.get(entry.index()))
                .toList());
    assertThat(ranked.getFirst().metadata())
        .containsEntry(
            ContentMetadata.RERANKED_SCORE,
            numbers().stream().mapToDouble(Double::doubleValue).max().orElseThrow());
  }

  @Test
  void noSegmentsHaveNoScores() {
    Response<List<Double>> response = scoring.scoreAll(List.of(), QUERY);
    assertThat(response.content()).isEmpty();
    assertThat(response.tokenUsage().totalTokenCount()).isZero();
  }

  @Test
  void aBadTextIsRefusedByItsPlace() {
    List<TextSegment> segments = List.of(SEGMENTS.getFirst(), TextSegment.from("half \ud800"));
    assertThatThrownBy(() -> scoring.scoreAll(segments, QUERY))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("2", "surrogate");
    assertThatThrownBy(() -> scoring.scoreAll(SEGMENTS, ""))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prompt is empty");
    assertThat(scoring.scoreAll(SEGMENTS, QUERY).content()).isEqualTo(numbers());
  }

  @Test
  void aCallHasItsOwnOptions() {
    MurmurationScoringModel hurried =
        MurmurationScoringModel.builder()
            .rewardModel(model)
            .callOptions(CallOptions.defaults().timeout(Duration.ofNanos(1)))
            .build();
    assertThatThrownBy(() -> hurried.scoreAll(SEGMENTS, QUERY))
        .isInstanceOf(ScoringTimeoutException.class);
  }

  @Test
  void aModelThatWasGivenStaysOpen() {
    scoring.close();
    assertThat(scoring.scoreAll(SEGMENTS, QUERY).content()).isEqualTo(numbers());
  }

  @Test
  void aFileIsLoadedAndClosed() {
    RewardModelOptions options = RewardModelOptions.defaults().contextLength(64);
    MurmurationScoringModel loaded =
        MurmurationScoringModel.builder().modelPath(model.file()).options(options).build();
    try (loaded) {
      Response<List<Double>> response = loaded.scoreAll(SEGMENTS, QUERY);
      assertThat(response.content()).isEqualTo(numbers());
      List<TextSegment> lengthy = List.of(TextSegment.from("word ".repeat(100)));
      assertThat(loaded.scoreAll(lengthy, QUERY).tokenUsage().totalTokenCount()).isEqualTo(64);
    }
    assertThatThrownBy(() -> loaded.scoreAll(SEGMENTS, QUERY))
        .isInstanceOf(IllegalStateException.class);
    loaded.close();
  }

  @Test
  void whatCannotBeBuiltSaysWhatToGive(@TempDir Path directory) throws Exception {
    assertThatThrownBy(() -> MurmurationScoringModel.builder().build())
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContainingAll("rewardModel", "modelPath");
    assertThatThrownBy(
            () ->
                MurmurationScoringModel.builder()
                    .rewardModel(model)
                    .modelPath(model.file())
                    .build())
        .isInstanceOf(IllegalArgumentException.class);
    Path file = Files.writeString(directory.resolve("no.gguf"), "nothing");
    assertThatThrownBy(() -> MurmurationScoringModel.builder().modelPath(file).build())
        .isInstanceOf(UncheckedIOException.class)
        .hasMessageContaining("no.gguf");
  }
}
