package dev.murmuration.springboot;

import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringTimeoutException;
import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import org.springframework.boot.health.contributor.AbstractHealthIndicator;
import org.springframework.boot.health.contributor.Health;

/**
 * Up if the model scores two words, or has so much to do that it does not take them: then others
 * wait in its queue and are answered. Out of service if it takes longer than allowed, down if it
 * fails. Mostly costs nothing, since a recent text is not computed again.
 */
final class RewardModelHealthIndicator extends AbstractHealthIndicator {
  private static final Input PROBE = Input.of("Hello?", "Hi!");

  private final RewardModel model;
  private final CallOptions options;

  RewardModelHealthIndicator(RewardModel model, Duration timeout) {
    super("The reward model computes nothing");
    this.model = model;
    this.options = CallOptions.defaults().timeout(timeout).waits(false);
  }

  @Override
  protected void doHealthCheck(Health.Builder builder) {
    builder.withDetail("model", model.name()).withDetail("precision", model.precision().label());
    try {
      Reward reward = model.score(PROBE, options);
      builder.up().withDetail("build", reward.build()).withDetail("queue", "open");
    } catch (RejectedExecutionException e) {
      builder.up().withDetail("queue", "full");
    } catch (ScoringTimeoutException e) {
      builder.outOfService().withDetail("error", e.getMessage());
    }
  }
}
