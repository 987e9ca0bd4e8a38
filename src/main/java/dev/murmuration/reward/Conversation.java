package dev.murmuration.reward;

import dev.murmuration.reward.Message.Role;
import java.util.ArrayList;
import java.util.List;

/**
 * What is scored: a prompt and a response, or several turns. An optional system message comes
 * first, then user and assistant take turns; the last message is the assistant's, and is the one
 * that the reward judges.
 *
 * @param messages what was said, in order
 */
public record Conversation(List<Message> messages) implements Input {
  /**
   * Checks the order of the messages.
   *
   * @throws IllegalArgumentException if a message is out of turn, a user's message is empty, or
   *     there is no response; the text says which
   */
  public Conversation {
    messages = List.copyOf(messages);
    int first = !messages.isEmpty() && messages.getFirst().role() == Role.SYSTEM ? 1 : 0;
    for (int i = first; i < messages.size(); i++) {
      Role expected = (i - first) % 2 == 0 ? Role.USER : Role.ASSISTANT;
      Message message = messages.get(i);
      if (message.role() != expected) {
        throw new IllegalArgumentException(
            "message "
                + (i + 1)
                + " is by the "
                + message.role().label()
                + " where the "
                + expected.label()
                + " should speak; give an optional system message, then user and assistant in"
                + " turn");
      }
      if (expected == Role.USER && message.content().isEmpty()) {
        throw new IllegalArgumentException(
            (messages.size() == 2
                    ? "the prompt is empty"
                    : "message " + (i + 1) + " of " + messages.size() + ", the user's, is empty")
                + "; it needs one character or more: give it a text, or score raw text instead"
                + " (Input.text)");
      }
    }
    if (messages.size() == first || messages.getLast().role() != Role.ASSISTANT) {
      throw new IllegalArgumentException(
          "the conversation has no response: its last message must be the assistant's, which is"
              + " what is scored");
    }
  }

  /**
   * {@return one prompt, which may not be empty, and one response, which may}
   *
   * @param prompt what is answered; not empty
   * @param response the text that is judged; may be empty
   * @throws IllegalArgumentException if the prompt is empty
   */
  public static Conversation of(String prompt, String response) {
    return new Conversation(List.of(Message.user(prompt), Message.assistant(response)));
  }

  /** {@return the message that is judged} */
  public String response() {
    return messages.getLast().content();
  }

  /**
   * {@return the same conversation with another last message}
   *
   * @param response the text of the last message
   */
  public Conversation withResponse(String response) {
    List<Message> changed = new ArrayList<>(messages);
    changed.set(changed.size() - 1, Message.assistant(response));
    return new Conversation(changed);
  }
}
