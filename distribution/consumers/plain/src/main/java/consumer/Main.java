package consumer;

import dev.murmuration.reward.RewardModel;

/** Prints the reward of a text. */
public final class Main {
  private Main() {}

  public static void main(String[] arguments) throws Exception {
    try (RewardModel model = RewardModel.loadEmbedded()) {
      System.out.println(model.score("Hello?", "Hi there, how can I help?").reward());
    }
  }
}
