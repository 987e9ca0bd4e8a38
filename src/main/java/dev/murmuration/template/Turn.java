package dev.murmuration.template;

/**
 * What one party says.
 *
 * @param role {@code system}, {@code user} or {@code assistant}
 * @param content what is said
 */
public record Turn(String role, String content) {
  /** A turn of the user's. */
  public static Turn user(String content) {
    return new Turn("user", content);
  }

  /** A turn of the assistant's. */
  public static Turn assistant(String content) {
    return new Turn("assistant", content);
  }
}
