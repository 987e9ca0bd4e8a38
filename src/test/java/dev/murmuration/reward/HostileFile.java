package dev.murmuration.reward;

import dev.murmuration.llama.LlamaException;
import java.io.IOException;
import java.nio.file.Path;

/** A try to score with a file that may be anything. */
final class HostileFile {
  /** How it ended. */
  enum End {
    REFUSED,
    SCORED,
    FAILED
  }

  private HostileFile() {}

  /**
   * Loads and scores.
   *
   * @param what names the file if it is refused without a clear message, which is an error
   */
  static End attempt(Path file, String what) {
    try (RewardModel model =
        RewardModel.load(
            file, RewardModelOptions.defaults().contextLength(256).threads(1).memoryMap(false))) {
      model.score("Hello?", "Hi, how can I help you?");
      return End.SCORED;
    } catch (IOException | IllegalArgumentException e) {
      String message = e.getMessage();
      if (message == null || message.isBlank() || message.contains("\n")) {
        throw new AssertionError(what + " has no clear message", e);
      }
      return End.REFUSED;
    } catch (LlamaException | NonFiniteRewardException e) {
      return End.FAILED; // Refused by llama.cpp itself, or not finite.
    }
  }
}
