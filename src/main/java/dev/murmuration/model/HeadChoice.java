package dev.murmuration.model;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which tensor is the value head, where its name does not say so, and which of its rows.
 *
 * @param tensor the name of the weights, or what the names of a network's layers begin with
 * @param row which output is the reward, counted from 0, where there are several
 */
public record HeadChoice(Optional<String> tensor, OptionalInt row) {
  /** Nothing chosen: one head by one of the usual names, with one output. */
  public static final HeadChoice NONE = new HeadChoice(Optional.empty(), OptionalInt.empty());

  /** The same with another tensor. */
  public HeadChoice tensor(String name) {
    return new HeadChoice(Optional.of(Objects.requireNonNull(name, "headTensor")), row);
  }

  /**
   * The same with another row.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public HeadChoice row(int value) {
    if (value < 0) {
      throw new IllegalArgumentException("headRow is " + value + "; rows are counted from 0");
    }
    return new HeadChoice(tensor, OptionalInt.of(value));
  }
}
