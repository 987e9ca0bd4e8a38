package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/** Rows of two responses, one of which is preferred. */
final class PairSchemas {
  private PairSchemas() {}

  static boolean isTranscript(Columns row, String column) {
    JsonNode value = row.row().path(column);
    return value.isTextual() && Transcripts.isTranscript(value.textValue());
  }

  static Example rewardBench(Columns row) {
    List<Message> prompt = row.prompt("prompt");
    return pair(
        row,
        prompt,
        new Candidate(
            Columns.conversation(prompt, row.text("chosen")), row.optionalText("chosen_model"), ""),
        new Candidate(
            Columns.conversation(prompt, row.text("rejected")),
            row.optionalText("rejected_model"),
            ""),
        1,
        row.groups("subset"));
  }

  static Example judgeBench(Columns row) {
    List<Message> prompt = List.of(Message.user(row.text("question")));
    String label = row.text("label");
    if (!label.equals("A>B") && !label.equals("B>A")) {
      throw row.wrong("label", row.row().get("label"), "\"A>B\" or \"B>A\"");
    }
    return pair(
        row,
        prompt,
        Candidate.of(Columns.conversation(prompt, row.text("response_A"))),
        Candidate.of(Columns.conversation(prompt, row.text("response_B"))),
        label.equals("A>B") ? 1 : -1,
        row.groups("source"));
  }

  /** Negative numbers mean that the first response is better. */
  static Example helpSteer2(Columns row) {
    List<Message> prompt = Transcripts.helpSteer(row.text("prompt"));
    return pair(
        row,
        prompt,
        Candidate.of(Columns.conversation(prompt, row.text("response_1"))),
        Candidate.of(Columns.conversation(prompt, row.text("response_2"))),
        -row.number("preference_strength"),
        withStrength(row.groups("split"), row.number("preference_strength")));
  }

  static Example helpSteer3(Columns row) {
    List<Message> prompt = row.messages("context");
    return pair(
        row,
        prompt,
        Candidate.of(Columns.conversation(prompt, row.text("response1"))),
        Candidate.of(Columns.conversation(prompt, row.text("response2"))),
        -row.number("overall_preference"),
        withStrength(row.groups("domain", "language"), row.number("overall_preference")));
  }

  /** HelpSteer's people say how much better a response is, in words that stand for 1 to 3. */
  private static Map<String, String> withStrength(Map<String, String> groups, double preference) {
    String strength =
        switch ((int) Math.abs(preference)) {
          case 1 -> "1 slightly better";
          case 2 -> "2 better";
          case 3 -> "3 much better";
          default -> "";
        };
    if (!strength.isEmpty()) {
      groups.put("strength", strength);
    }
    return groups;
  }

  static Example hhRlhf(Columns row) {
    Conversation chosen = new Conversation(Transcripts.messages(row.text("chosen")));
    Conversation rejected = new Conversation(Transcripts.messages(row.text("rejected")));
    return pair(row, before(chosen), Candidate.of(chosen), Candidate.of(rejected), 1, Map.of());
  }

  static Example ultraFeedbackBinarized(Columns row) {
    Conversation chosen = new Conversation(row.messages("chosen"));
    Conversation rejected = new Conversation(row.messages("rejected"));
    double strength = row.number("score_chosen") - row.number("score_rejected");
    return pair(
        row,
        before(chosen),
        Candidate.of(chosen),
        Candidate.of(rejected),
        strength,
        row.groups("source"));
  }

  /** TRL's: with or without a prompt, of strings or of messages. */
  static Example preference(Columns row) {
    List<Message> prompt = row.has("prompt") ? row.prompt("prompt") : List.of();
    return pair(
        row,
        prompt.isEmpty() && row.row().get("chosen").isArray()
            ? before(new Conversation(row.messages("chosen")))
            : prompt,
        Candidate.of(side(row, prompt, "chosen")),
        Candidate.of(side(row, prompt, "rejected")),
        1,
        row.groups("subset", "source"));
  }

  private static Input side(Columns row, List<Message> prompt, String column) {
    if (row.row().get(column).isArray()) {
      List<Message> messages = new ArrayList<>(prompt);
      messages.addAll(row.messages(column));
      return new Conversation(messages);
    }
    String text = row.text(column);
    return prompt.isEmpty() ? Input.text(text) : Columns.conversation(prompt, text);
  }

  private static List<Message> before(Conversation conversation) {
    return conversation.messages().subList(0, conversation.messages().size() - 1);
  }

  /**
   * An example of two candidates.
   *
   * @param strength positive where the first one is better, negative where the second one is, 0
   *     where neither is
   */
  private static Example pair(
      Columns row,
      List<Message> prompt,
      Candidate first,
      Candidate second,
      double strength,
      Map<String, String> groups) {
    List<Preference> preferences =
        strength == 0
            ? List.of()
            : List.of(
                strength > 0 ? new Preference(0, 1, strength) : new Preference(1, 0, -strength));
    return new Example(
        PlainSchemas.id(row),
        PlainSchemas.key(prompt),
        List.of(first, second),
        preferences,
        groups);
  }
}
