package dev.murmuration.evaluation;

import java.util.List;
import java.util.Optional;

/**
 * One run of a model over a data set.
 *
 * @param label what it is called
 * @param bytes size of the model's file
 * @param seconds that scoring took
 * @param texts that were scored
 * @param tokens of all texts
 * @param accuracy how often it agrees with people, where the data says what they prefer
 * @param fidelity what became of the reference's preferences; empty for the reference
 */
public record FidelityRun(
    String label,
    long bytes,
    double seconds,
    long texts,
    long tokens,
    Optional<Accuracy> accuracy,
    Optional<Fidelity> fidelity) {

  /**
   * A run.
   *
   * @param rows with their rewards
   * @param reference the reference's; empty where this is the reference
   */
  public static FidelityRun of(
      String label,
      long bytes,
      double seconds,
      long tokens,
      List<Judged> rows,
      Optional<List<Judged>> reference) {
    Accuracy accuracy = Accuracy.of(rows);
    return new FidelityRun(
        label,
        bytes,
        seconds,
        rows.stream().mapToLong(row -> row.candidates().size()).sum(),
        tokens,
        accuracy.pairs() == 0 ? Optional.empty() : Optional.of(accuracy),
        reference.map(first -> Fidelity.of(Judged.rewards(first), Judged.rewards(rows))));
  }
}
