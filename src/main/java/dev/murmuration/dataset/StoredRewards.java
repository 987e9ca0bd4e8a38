package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.List;

/** The rewards that {@code murmur batch} has put into a row. */
public final class StoredRewards {
  private StoredRewards() {}

  /**
   * The rewards, one for each candidate.
   *
   * @param row with rewards under {@code field}
   * @throws IllegalArgumentException if there are none
   */
  public static List<Double> of(JsonNode row, String field) {
    JsonNode ours = row.path(field);
    List<Double> rewards = new ArrayList<>();
    if (ours.path("reward").isNumber()) {
      rewards.add(ours.path("reward").doubleValue());
    }
    ours.path("rewards").forEach(reward -> rewards.add(reward.asDouble(Double.NaN)));
    if (rewards.isEmpty() || rewards.stream().anyMatch(reward -> reward.isNaN())) {
      throw new IllegalArgumentException(
          "the row has no rewards under \"" + field + "\"; score it with 'murmur batch' first");
    }
    return rewards;
  }

  /** Number of the row in the data that was scored; 0 if that is not said. */
  public static long number(JsonNode row, String field) {
    return row.path(field).path("row").asLong();
  }
}
