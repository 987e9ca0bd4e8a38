package dev.murmuration.model;

import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;

/**
 * Which tensor the caller wants as the value head, where its name does not say so, and which of its
 * rows.
 *
 * @param tensor the name of the weights, or what the names of a network's layers begin with
 * @param row which output is the reward, counted from 0, where there are several
 */
public record HeadWish(Optional<String> tensor, OptionalInt row) {
  /** No wish: one head by one of the usual names, with one output. */
  public static final HeadWish NONE = new HeadWish(Optional.empty(), OptionalInt.empty());

  /** The same with another tensor. */
  public HeadWish tensor(String name) {
    return new HeadWish(Optional.of(Objects.requireNonNull(name, "headTensor")), row);
  }

  /**
   * The same with another row.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public HeadWish row(int value) {
    if (value < 0) {
      throw new IllegalArgumentException("headRow is " + value + "; rows are counted from 0");
    }
    return new HeadWish(tensor, OptionalInt.of(value));
  }
}
