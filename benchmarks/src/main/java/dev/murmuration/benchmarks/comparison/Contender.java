package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.Texts;
import java.io.IOException;

/** One way to score eight responses to a prompt. For one thread. */
interface Contender {
  String name();

  /** Scores them and tells how long it took. */
  Answer answer(Texts.BestOf eight) throws IOException;

  /**
   * What came of it.
   *
   * @param seconds how long it took
   * @param rewards one for each response; null if the contender gives states instead
   * @param states hidden states of the last tokens, as they are or of length 1; or null
   */
  record Answer(double seconds, double[] rewards, float[][] states) {}
}
