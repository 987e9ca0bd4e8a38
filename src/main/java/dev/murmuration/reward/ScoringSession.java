package dev.murmuration.reward;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.function.Function;

/**
 * Scores a response that is being written. After an edit only the tokens from the first changed one
 * on are computed. The others are reused from the model's key/value cache, where they stay until
 * other texts need the room; the least recently used ones are dropped first. The rewards are those
 * of {@code RewardModel.score}.
 *
 * <p>It need not be closed. Any thread may call any method.
 */
public final class ScoringSession {
  private final Function<Input, Reward> score;
  private final Function<Input, CompletableFuture<Reward>> submit;
  private volatile String prompt = "";

  ScoringSession(Function<Input, Reward> score, Function<Input, CompletableFuture<Reward>> submit) {
    this.score = score;
    this.submit = submit;
  }

  /**
   * Sets the prompt.
   *
   * @param value the prompt; not empty
   * @return this session
   */
  public ScoringSession prompt(String value) {
    prompt = Objects.requireNonNull(value, "prompt");
    return this;
  }

  /**
   * {@return the reward of a response to the prompt}
   *
   * @param response the text that is judged; may be empty
   * @throws IllegalArgumentException if the prompt is empty or a text cannot be scored
   */
  public Reward score(String response) {
    return score.apply(Input.of(prompt, response));
  }

  /**
   * Like {@link #score}, without waiting; see {@code RewardModel.submit}.
   *
   * @param response the text that is judged; may be empty
   * @return the reward to come; cancelling it withdraws the response
   * @throws IllegalArgumentException if the prompt is empty or a text cannot be scored
   */
  public CompletableFuture<Reward> submit(String response) {
    return submit.apply(Input.of(prompt, response));
  }
}
