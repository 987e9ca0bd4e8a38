package dev.murmuration.server;

import dev.murmuration.reward.RewardModel;
import java.io.IOException;

/** What is done when the engine of a model has ended by a failure. */
@FunctionalInterface
interface Revival {
  /**
   * Loads the model again.
   *
   * @param ended the model whose engine has ended
   * @param cause what its callers were told
   * @return whether there is one again
   */
  boolean revive(ServedModel served, RewardModel ended, Throwable cause) throws IOException;
}
