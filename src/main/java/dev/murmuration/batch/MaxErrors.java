package dev.murmuration.batch;

/**
 * How many rows may fail before the work ends.
 *
 * @param rows the most rows
 * @param share the largest share of the rows, 0 to 1, once there are a hundred
 */
public record MaxErrors(long rows, double share) {
  /** However many. */
  public static final MaxErrors ANY = new MaxErrors(Long.MAX_VALUE, 1);

  private static final long ENOUGH_FOR_A_SHARE = 100;

  /**
   * A limit by its text.
   *
   * @param text a number of rows, or a share such as {@code 5%}
   */
  public static MaxErrors of(String text) {
    if (text.matches("\\d{1,15}")) {
      return new MaxErrors(Long.parseLong(text), 1);
    }
    if (text.matches("\\d{1,2}(\\.\\d{1,6})?%|100%")) {
      return new MaxErrors(
          Long.MAX_VALUE, Double.parseDouble(text.substring(0, text.length() - 1)) / 100);
    }
    throw new IllegalArgumentException(
        "the most errors are '" + text + "'; give a number of rows, or a share such as 5%");
  }

  boolean exceeded(long failed, long seen) {
    return failed > rows || (seen >= ENOUGH_FOR_A_SHARE && failed > share * seen);
  }
}
