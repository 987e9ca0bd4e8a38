package dev.murmuration.dataset;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import java.util.List;
import java.util.Map;

/** Rows that are scored and say nothing of what people prefer. */
final class PlainSchemas {
  private PlainSchemas() {}

  static Example response(Columns row) {
    List<Message> prompt = row.prompt("prompt");
    return one(row, prompt, Columns.conversation(prompt, row.text("response")));
  }

  static Example responses(Columns row) {
    List<Message> prompt = row.prompt("prompt");
    List<Candidate> candidates =
        row.texts("responses").stream()
            .map(response -> Candidate.of(Columns.conversation(prompt, response)))
            .toList();
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException("the column \"responses\" is empty");
    }
    return new Example(id(row), key(prompt), candidates, List.of(), Map.of());
  }

  static Example messages(Columns row) {
    List<Message> messages = row.messages("messages");
    Conversation conversation = new Conversation(messages);
    return one(row, messages.subList(0, messages.size() - 1), conversation);
  }

  static Example text(Columns row) {
    Input text = Input.text(row.text("text"));
    return new Example(id(row), "", List.of(Candidate.of(text)), List.of(), Map.of());
  }

  private static Example one(Columns row, List<Message> prompt, Input input) {
    return new Example(id(row), key(prompt), List.of(Candidate.of(input)), List.of(), Map.of());
  }

  static String id(Columns row) {
    return row.id("id", "pair_id", "prompt_id");
  }

  /** What tells whether two rows have the same prompt. */
  static String key(List<Message> prompt) {
    StringBuilder key = new StringBuilder();
    for (Message message : prompt) {
      key.append(message.role().label()).append('\n').append(message.content()).append('\n');
    }
    return key.toString();
  }
}
