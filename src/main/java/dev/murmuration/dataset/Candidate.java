package dev.murmuration.dataset;

import dev.murmuration.reward.Input;

/**
 * One text of a row that gets a reward.
 *
 * @param input what is scored
 * @param model who wrote it, or an empty text
 * @param style of a benchmark that has styles ({@code concise}, {@code detailed}, {@code
 *     markdown}), or an empty text
 */
public record Candidate(Input input, String model, String style) {
  /** A candidate of which nothing more is known. */
  public static Candidate of(Input input) {
    return new Candidate(input, "", "");
  }
}
