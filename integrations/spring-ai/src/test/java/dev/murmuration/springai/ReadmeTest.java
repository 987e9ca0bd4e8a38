package dev.murmuration.springai;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.reward.RewardModel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.springframework.ai.document.Document;
import org.springframework.ai.evaluation.EvaluationRequest;
import org.springframework.ai.evaluation.Evaluator;
import org.springframework.ai.rag.Query;
import org.springframework.ai.rag.postretrieval.document.DocumentPostProcessor;

/** The example of README.md works, and is the one here. */
class ReadmeTest {
  private static void example() throws Exception {
    try (RewardModel model = RewardModel.loadEmbedded()) {
      Evaluator evaluator = RewardEvaluator.of(model, 2.0);
      boolean pass =
          evaluator.evaluate(new EvaluationRequest("Hello?", "Hi, how can I help you?")).isPass();
      System.out.println(pass);

      DocumentPostProcessor best = RewardDocumentPostProcessor.of(model).topN(2);
      List<Document> answers =
          List.of(
              new Document("Go away."),
              new Document("Hi there, how can I help?"),
              new Document("What?"));
      System.out.println(best.process(new Query("Hello?"), answers));
    }
  }

  @Test
  void theExampleIsTheOneThatRunsHere() throws Exception {
    example();
    String shown = Files.readString(Path.of("README.md")).split("```(java)?\n", -1)[2];
    String tested =
        Files.readString(Path.of("src/test/java/dev/murmuration/springai/ReadmeTest.java"));
    assertThat(tested.replaceAll("\\s+", "")).contains(shown.replaceAll("\\s+", ""));
  }
}
