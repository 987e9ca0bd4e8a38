package dev.murmuration.springai;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import java.time.Duration;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.springframework.ai.document.Document;
import org.springframework.ai.evaluation.EvaluationRequest;
import org.springframework.ai.evaluation.EvaluationResponse;

class RewardEvaluatorTest {
  private static final String PROMPT = "Hello?";
  private static final String RESPONSE = "Hi there, how can I help?";

  private static RewardModel model;

  @BeforeAll
  static void load() throws Exception {
    model = RewardModel.loadEmbedded();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void theScoreIsTheReward() {
    Reward reward = model.score(PROMPT, RESPONSE);
    EvaluationResponse response =
        RewardEvaluator.of(model, 0).evaluate(new EvaluationRequest(PROMPT, RESPONSE));
    assertThat(response.getScore()).isEqualTo((float) reward.reward());
    assertThat(response.getMetadata())
        .containsEntry("reward", reward.reward())
        .containsEntry("tokens", reward.tokens())
        .containsEntry("truncated_tokens", 0)
        .containsEntry("model", "fledgling")
        .containsEntry("template", reward.template())
        .containsEntry("readout", "last_token")
        .containsEntry("precision", "fast")
        .containsEntry("build", reward.build());
    assertThat(response.isPass()).isTrue();
    assertThat(response.getFeedback()).isEqualTo("reward " + reward.reward() + " reaches 0.0");
  }

  @Test
  void whatReachesTheThresholdPasses() {
    double reward = model.score(PROMPT, RESPONSE).reward();
    EvaluationRequest request = new EvaluationRequest(PROMPT, RESPONSE);
    assertThat(RewardEvaluator.of(model, reward).evaluate(request).isPass()).isTrue();
    EvaluationResponse failed = RewardEvaluator.of(model, Math.nextUp(reward)).evaluate(request);
    assertThat(failed.isPass()).isFalse();
    assertThat(failed.getFeedback()).contains("is below");
  }

  @Test
  void documentsArePartOfThePromptIfAsked() {
    List<Document> documents = List.of(new Document("Eggs boil in eight minutes."));
    EvaluationRequest request = new EvaluationRequest(PROMPT, documents, RESPONSE);
    RewardEvaluator plain = RewardEvaluator.of(model, 0);
    RewardEvaluator withDocuments =
        plain.prompt(asked -> plain.doGetSupportingData(asked) + "\n\n" + asked.getUserText());
    assertThat(plain.evaluate(request).getMetadata())
        .containsEntry("reward", model.score(PROMPT, RESPONSE).reward());
    assertThat(withDocuments.evaluate(request).getMetadata())
        .containsEntry(
            "reward", model.score("Eggs boil in eight minutes.\n\n" + PROMPT, RESPONSE).reward());
  }

  @Test
  void whatCannotBeScoredIsRefused() {
    RewardEvaluator evaluator = RewardEvaluator.of(model, 0);
    EvaluationRequest noPrompt = new EvaluationRequest(List.of(), RESPONSE);
    assertThatThrownBy(() -> evaluator.evaluate(noPrompt))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("prompt is empty");
    EvaluationRequest request = new EvaluationRequest(PROMPT, RESPONSE);
    RewardEvaluator hurried =
        evaluator.callOptions(CallOptions.defaults().timeout(Duration.ofNanos(1)));
    assertThatThrownBy(() -> hurried.evaluate(request)).isInstanceOf(ScoringTimeoutException.class);
    assertThatThrownBy(() -> RewardEvaluator.of(model, Double.NaN))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("NaN");
  }
}
