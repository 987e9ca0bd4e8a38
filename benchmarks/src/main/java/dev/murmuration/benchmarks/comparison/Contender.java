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
   * @param rewards one for each response; null if the contender does not give its states as they
   *     are, but only their directions
   * @param states hidden states of the last tokens, of any length; null if the contender does not
   *     give them
   */
  record Answer(double seconds, double[] rewards, float[][] states) {}
}
