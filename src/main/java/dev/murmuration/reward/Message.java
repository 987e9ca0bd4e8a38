package dev.murmuration.reward;

import java.util.Arrays;
import java.util.Locale;
import java.util.Objects;

/** What one party says in a {@link Conversation}. */
public record Message(Role role, String content) {
  /** Who speaks. */
  public enum Role {
    SYSTEM,
    USER,
    ASSISTANT;

    /** Its name in JSON: {@code system}, {@code user} or {@code assistant}. */
    public String label() {
      return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The role with this label.
     *
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

  public Message {
    Objects.requireNonNull(role, "role");
    Objects.requireNonNull(content, "content");
  }

  public static Message system(String content) {
    return new Message(Role.SYSTEM, content);
  }

  public static Message user(String content) {
    return new Message(Role.USER, content);
  }

  public static Message assistant(String content) {
    return new Message(Role.ASSISTANT, content);
  }
}
