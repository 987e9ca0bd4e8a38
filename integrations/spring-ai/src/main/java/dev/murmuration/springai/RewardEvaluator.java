package dev.murmuration.springai;

import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.function.Function;
import org.springframework.ai.evaluation.EvaluationRequest;
import org.springframework.ai.evaluation.EvaluationResponse;
import org.springframework.ai.evaluation.Evaluator;

/**
 * Evaluates a response by its reward: passed is what reaches a threshold. The user's text is the
 * prompt. Documents of the request are not part of it, unless {@link #prompt} says so.
 *
 * <p>Rewards are unbounded, and only differences between responses to one prompt mean something: a
 * threshold must be chosen for a model and its prompts, so there is no default.
 *
 * <p>Immutable; any number of threads may call any methods at the same time. The model stays its
 * owner's to close. What {@link RewardModel#score(Input, CallOptions)} throws, {@link #evaluate}
 * throws.
 */
public final class RewardEvaluator implements Evaluator {
  private final RewardModel model;
  private final double threshold;
  private final Function<EvaluationRequest, String> prompt;
  private final CallOptions options;

  private RewardEvaluator(
      RewardModel model,
      double threshold,
      Function<EvaluationRequest, String> prompt,
      CallOptions options) {
    this.model = Objects.requireNonNull(model, "model");
    this.threshold = threshold;
    this.prompt = Objects.requireNonNull(prompt, "prompt");
    this.options = Objects.requireNonNull(options, "options");
    if (Double.isNaN(threshold)) {
      throw new IllegalArgumentException("threshold is NaN; it must be a number");
    }
  }

  /**
   * {@return an evaluator whose prompt is the user's text}
   *
   * @param model computes the rewards
   * @param threshold the least reward of a response that passes
   * @throws IllegalArgumentException if the threshold is NaN
   */
  public static RewardEvaluator of(RewardModel model, double threshold) {
    return new RewardEvaluator(
        model, threshold, EvaluationRequest::getUserText, CallOptions.defaults());
  }

  /**
   * What the response is judged as an answer to, for instance the user's text with the documents of
   * the request.
   *
   * @param value makes the prompt of a request; not empty
   * @return a copy that differs in this
   */
  public RewardEvaluator prompt(Function<EvaluationRequest, String> value) {
    return new RewardEvaluator(model, threshold, value, options);
  }

  /**
   * How each call behaves: its timeout, and whether it waits while the queue is full.
   *
   * @param value the options
   * @return a copy that differs in this
   */
  public RewardEvaluator callOptions(CallOptions value) {
    return new RewardEvaluator(model, threshold, prompt, value);
  }

  /**
   * Evaluates the response of a request.
   *
   * @param request has the user's text and the response
   * @return whether the reward reaches the threshold; the reward as score, rounded to a float; and
   *     as metadata {@code reward} (not rounded), {@code tokens}, {@code truncated_tokens}, {@code
   *     model}, {@code template}, {@code readout}, {@code precision} and {@code build}
   * @throws IllegalArgumentException if the prompt is empty, or a text cannot be encoded or is too
   *     long and truncation is off
   */
  @Override
  public EvaluationResponse evaluate(EvaluationRequest request) {
    Reward reward =
        model.score(Input.of(prompt.apply(request), request.getResponseContent()), options);
    boolean pass = reward.reward() >= threshold;
    String feedback = "reward " + reward.reward() + (pass ? " reaches " : " is below ") + threshold;
    return new EvaluationResponse(pass, (float) reward.reward(), feedback, metadata(reward));
  }

  private static Map<String, Object> metadata(Reward reward) {
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("reward", reward.reward());
    metadata.put("tokens", reward.tokens());
    metadata.put("truncated_tokens", reward.truncatedTokens());
    metadata.put("model", reward.model());
    metadata.put("template", reward.template());
    metadata.put("readout", reward.readout().label());
    metadata.put("precision", reward.precision().label());
    metadata.put("build", reward.build());
    return metadata;
  }
}
