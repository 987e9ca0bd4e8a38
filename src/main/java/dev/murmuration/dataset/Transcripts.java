package dev.murmuration.dataset;

import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.List;

/**
 * Conversations written as one text: {@code \n\nHuman: …\n\nAssistant: …}, as HH-RLHF and Nectar
 * have them, and with {@code <extra_id_1>} as HelpSteer2 does.
 */
final class Transcripts {
  private static final String HUMAN = "\n\nHuman:";
  private static final String ASSISTANT = "\n\nAssistant:";
  private static final String EXTRA = "<extra_id_1>";

  private Transcripts() {}

  static boolean isTranscript(String text) {
    return text.startsWith(HUMAN) && text.contains(ASSISTANT);
  }

  /**
   * The messages of a transcript. After a human's mark only an assistant's ends the message, and
   * the other way round: the same mark twice is part of what was said.
   *
   * @throws IllegalArgumentException if it does not begin with a human's message
   */
  static List<Message> messages(String text) {
    if (!text.startsWith(HUMAN)) {
      throw new IllegalArgumentException(
          "the transcript does not begin with \"\\n\\nHuman:\", as HH-RLHF's and Nectar's do");
    }
    List<Message> messages = new ArrayList<>();
    int from = HUMAN.length();
    boolean human = true;
    while (from <= text.length()) {
      String next = human ? ASSISTANT : HUMAN;
      int end = text.indexOf(next, from);
      String content = text.substring(from, end < 0 ? text.length() : end);
      String said = content.startsWith(" ") ? content.substring(1) : content;
      messages.add(human ? Message.user(said) : Message.assistant(said));
      if (end < 0) {
        break;
      }
      from = end + next.length();
      human = !human;
    }
    return messages;
  }

  /**
   * What comes before a response: a transcript that ends with the assistant's mark.
   *
   * @throws IllegalArgumentException if it does not end so
   */
  static List<Message> prompt(String text) {
    List<Message> messages = messages(text);
    Message last = messages.getLast();
    if (last.role() != Message.Role.ASSISTANT || !last.content().isBlank()) {
      throw new IllegalArgumentException(
          "the prompt does not end with \"\\n\\nAssistant:\", as Nectar's do");
    }
    return messages.subList(0, messages.size() - 1);
  }

  /** The messages of a prompt of HelpSteer2; one by the user where it holds no marks. */
  static List<Message> helpSteer(String text) {
    List<Message> messages = new ArrayList<>();
    String[] parts = text.split(EXTRA, -1);
    messages.add(Message.user(parts[0].strip()));
    for (int i = 1; i < parts.length; i++) {
      String part = parts[i];
      if (part.startsWith("Assistant\n")) {
        messages.add(Message.assistant(part.substring("Assistant\n".length()).strip()));
      } else if (part.startsWith("User\n")) {
        messages.add(Message.user(part.substring("User\n".length()).strip()));
      } else {
        throw new IllegalArgumentException(
            "behind " + EXTRA + " stands neither User nor Assistant, as HelpSteer2 has it");
      }
    }
    return messages;
  }
}
