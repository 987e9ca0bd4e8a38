package dev.murmuration.dataset;

import java.nio.charset.StandardCharsets;
import java.util.zip.CRC32C;

/**
 * One of several parts of an input, by prompt, so that rows with a common prompt stay together.
 *
 * @param index of this part, from 0
 * @param count of parts
 */
public record Shard(int index, int count) {
  /** The whole input. */
  public static final Shard WHOLE = new Shard(0, 1);

  /** Checks the numbers. */
  public Shard {
    if (count < 1 || index < 0 || index >= count) {
      throw new IllegalArgumentException(
          "the shard is " + index + "/" + count + "; give 0/4, 1/4, 2/4 and 3/4 for four of them");
    }
  }

  /**
   * A shard by its text.
   *
   * @param text such as {@code 0/4}
   */
  public static Shard of(String text) {
    if (!text.matches("\\d{1,6}/\\d{1,6}")) {
      throw new IllegalArgumentException(
          "the shard is '" + text + "'; give it as 0/4, 1/4, 2/4 and 3/4 for four of them");
    }
    int slash = text.indexOf('/');
    return new Shard(
        Integer.parseInt(text.substring(0, slash)), Integer.parseInt(text.substring(slash + 1)));
  }

  /**
   * Whether a row belongs to this part.
   *
   * @param prompt the row's prompt, or its text where it has none
   */
  boolean has(String prompt) {
    if (count == 1) {
      return true;
    }
    CRC32C sum = new CRC32C();
    sum.update(prompt.getBytes(StandardCharsets.UTF_8));
    return sum.getValue() % count == index;
  }

  @Override
  public String toString() {
    return index + "/" + count;
  }
}
