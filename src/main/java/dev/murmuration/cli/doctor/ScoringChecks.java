package dev.murmuration.cli.doctor;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;

/** Whether a reward comes out, and the right one. */
final class ScoringChecks {
  private static final String PROMPT = "Hello?";
  private static final String RESPONSE = "Hi there, how can I help?";

  /** What the embedded model gives for them, and how far a processor's rounding may be off. */
  private static final double EXPECTED = 7.35;

  private static final double TOLERANCE = 0.1;

  private ScoringChecks() {}

  /**
   * Scores with the embedded model.
   *
   * @param options which devices compute
   */
  static Finding scoring(RewardModelOptions options) {
    double reward;
    try (RewardModel model = RewardModel.loadEmbedded(options)) {
      reward = model.score(PROMPT, RESPONSE).reward();
    } catch (IOException | RuntimeException | LinkageError e) {
      return Finding.problem(
          "scoring", "the embedded model cannot score: " + Wording.message(Wording.unwrap(e)));
    }
    String text = "the embedded model's reward of a known text is " + Numbers.signed(reward);
    Finding found =
        Math.abs(reward - EXPECTED) <= TOLERANCE
            ? Finding.ok("scoring", text + ", as it should be")
            : Finding.problem(
                "scoring",
                text
                    + ", and should be "
                    + Numbers.signed(EXPECTED)
                    + ": this processor or GPU computes something else than the software says;"
                    + " please report it with what stands here, and try MURMUR_KERNELS=off");
    return found.with("reward", reward);
  }
}
