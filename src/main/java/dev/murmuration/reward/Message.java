package dev.murmuration.reward;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/**
 * What one party says in a {@link Conversation}.
 *
 * @param role who speaks
 * @param content what is said
 */
public record Message(Role role, String content) {
  /** Who speaks. */
  public enum Role {
    /** What the model is told to be. */
    SYSTEM,
    /** Who asks. */
    USER,
    /** The model that answers. */
    ASSISTANT;

    /** {@return its name in JSON: {@code system}, {@code user} or {@code assistant}} */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * {@return the role with this label}
     *
     * @param label its name, as {@link #label} gives it
     * @throws IllegalArgumentException if there is none
     */
    public static Role of(String label) {
      return Arrays.stream(values())
          .filter(role -> role.label().equals(label))
          .findFirst()
          .orElseThrow(
              () ->
                  new IllegalArgumentException(
                      "no role '" + label + "'; there are system, user and assistant"));
    }
  }

  /** Checks that neither is null. */
  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
  }

  /**
   * {@return a message of the system}
   *
   * @param content what is said
   */
  public static Message system(String content) {
    return new Message(Role.SYSTEM, content);
  }

  /**
   * {@return a message of the user}
   *
   * @param content what is said
   */
  public static Message user(String content) {
    return new Message(Role.USER, content);
  }

  /**
   * {@return a message of the assistant}
   *
   * @param content what is said
   */
  public static Message assistant(String content) {
    return new Message(Role.ASSISTANT, content);
  }
}
