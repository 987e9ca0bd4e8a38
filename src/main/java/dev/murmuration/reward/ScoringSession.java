package dev.murmuration.reward;

import java.util.Objects;
import java.util.concurrent.CompletableFuture;

/**
 * Scores a response that is being written. After every edit only the tokens from the first changed
 * one on are computed, as long as the model keeps the rest in its key/value cache: up to {@link
 * RewardModel#contextLength} and until other callers' texts need the room, the least recently used
 * going first. Rewards are those of {@link RewardModel#score(String, String)}.
 *
 * <p>Holds nothing that would have to be closed. Any thread may call any method.
 */
public final class ScoringSession {
  private final RewardModel model;
  private volatile String prompt = "";

  ScoringSession(RewardModel model) {
    this.model = model;
  }

  /** Sets the prompt. */
  public ScoringSession prompt(String value) {
    prompt = Objects.requireNonNull(value, "prompt");
    return this;
  }

  /**
   * The reward of a response to the prompt.
   *
   * @throws IllegalArgumentException as {@link RewardModel#score(String, String)}
   */
  public Reward score(String response) {
    return model.score(prompt, response);
  }

  /** Like {@link #score}, without waiting; see {@link RewardModel#scoreAsync(String, String)}. */
  public CompletableFuture<Reward> scoreAsync(String response) {
    return model.scoreAsync(prompt, response);
  }
}
