package dev.murmuration.dataset;

/**
 * One row of a data set.
 *
 * @param number from 1 on, over all files in their order; blank lines have one, too
 * @param json the row as the text of a JSON object, with the bytes of the file where that holds
 *     JSON; empty for a blank line; null for a row that cannot be read
 * @param problem why it cannot be read, or null
 * @param place where it is, for messages: {@code train.jsonl, line 7}
 */
public record Row(long number, String json, String problem, String place) {
  /** A row that can be read. */
  public static Row of(long number, String json, String place) {
    return new Row(number, json, null, place);
  }

  /** A row that cannot be read. */
  public static Row bad(long number, String problem, String place) {
    return new Row(number, null, problem, place);
  }

  public boolean isBlank() {
    return json != null && json.isBlank();
  }
}
