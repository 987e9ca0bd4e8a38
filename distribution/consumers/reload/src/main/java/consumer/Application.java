package consumer;

import dev.murmuration.reward.RewardModel;
import java.util.concurrent.Callable;

/** What is deployed: scores a text. */
public final class Application implements Callable<Double> {
  @Override
  public Double call() throws Exception {
    try (RewardModel model = RewardModel.loadEmbedded()) {
      return model.score("Hello?", "Hi there, how can I help?").reward();
    }
  }
}
