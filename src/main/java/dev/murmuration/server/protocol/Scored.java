package dev.murmuration.server.protocol;

import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardTrace;
import java.util.List;

/**
 * What became of a request's inputs.
 *
 * @param id of the request: letters, digits and dashes
 * @param created when it came, in seconds since 1970
 * @param model the name under which the model is served
 * @param about what is the same for all rewards of the model
 * @param results one for each input, in their order
 */
public record Scored(String id, long created, String model, About about, List<Result> results) {
  /** What is the same for all rewards of a model. */
  public record About(String template, String precision, String readout, String build) {}

  /** A reward, with the rewards at each token if they were asked for, or why there is none. */
  public record Result(Reward reward, RewardTrace trace, RuntimeException failure) {}

  /**
   * The rewards of all inputs.
   *
   * @throws RequestFailure if one has none
   */
  List<Reward> rewards() {
    requireAll();
    return results.stream().map(Result::reward).toList();
  }

  /** The same with the rewards at each token. */
  List<RewardTrace> traces() {
    requireAll();
    return results.stream().map(Result::trace).toList();
  }

  private void requireAll() {
    for (int i = 0; i < results.size(); i++) {
      RuntimeException failure = results.get(i).failure();
      if (failure != null) {
        String place =
            results.size() == 1 ? "" : "text " + (i + 1) + " of " + results.size() + ": ";
        throw RequestFailure.of(500, place + failure.getMessage(), failure);
      }
    }
  }

  /** Tokens of all inputs that have a reward. */
  long tokens() {
    return results.stream()
        .filter(result -> result.reward() != null)
        .mapToLong(result -> result.reward().tokens())
        .sum();
  }

  /** A float has all the digits that hidden states in float32 can account for. */
  static float number(Reward reward) {
    return (float) reward.reward();
  }
}
