package dev.murmuration.langchain4j;

import static org.assertj.core.api.Assertions.assertThat;

import dev.langchain4j.model.scoring.ScoringModel;
import dev.langchain4j.rag.content.Content;
import dev.langchain4j.rag.content.aggregator.ContentAggregator;
import dev.langchain4j.rag.content.aggregator.ReRankingContentAggregator;
import dev.langchain4j.rag.query.Query;
import dev.murmuration.reward.RewardModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** The example of README.md works, and is the one here. */
class ReadmeTest {
  private static void example() throws Exception {
    try (RewardModel model = RewardModel.loadEmbedded()) {
      ScoringModel scoring = MurmurationScoringModel.of(model);
      double reward = scoring.score("Hi, how can I help you?", "Hello?").content();
      System.out.println(reward);

      // The best two of several answers, or of what several retrievers found.
      ContentAggregator best =
          ReRankingContentAggregator.builder().scoringModel(scoring).maxResults(2).build();
      Query query = Query.from("Hello?");
      List<Content> answers =
          List.of(
              Content.from("Go away."),
              Content.from("Hi there, how can I help?"),
              Content.from("What?"));
      System.out.println(best.aggregate(Map.of(query, List.of(answers))));
    }
  }

  @Test
  void theExampleIsTheOneThatRunsHere() throws Exception {
    example();
    String shown = Files.readString(Path.of("README.md")).split("```(java)?\n", -1)[2];
    String tested =
        Files.readString(Path.of("src/test/java/dev/murmuration/langchain4j/ReadmeTest.java"));
    assertThat(tested.replaceAll("\\s+", "")).contains(shown.replaceAll("\\s+", ""));
  }
}
