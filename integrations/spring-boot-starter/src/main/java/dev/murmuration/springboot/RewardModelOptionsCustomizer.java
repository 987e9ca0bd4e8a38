package dev.murmuration.springboot;

import dev.murmuration.reward.RewardModelOptions;

/**
 * Changes the options of the reward model, for what has no property of its own. Beans of this type
 * are called in their order when the model is loaded.
 */
@FunctionalInterface
public interface RewardModelOptionsCustomizer {
  /**
   * {@return the options, changed}
   *
   * @param options what the properties and earlier customizers say
   */
  RewardModelOptions customize(RewardModelOptions options);
}
