package dev.murmuration.dataset;

import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.RawText;
import dev.murmuration.reward.TokenIds;
import java.util.List;
import java.util.Map;

/**
 * What a row means: texts to score, and which of them are preferred.
 *
 * @param id the row's own id, or an empty text
 * @param prompt what all candidates answer, as one text: rows with the same one belong together
 * @param candidates in the order of the row; one for a row that is only scored
 * @param preferences pairs of candidates; empty where the row says nothing
 * @param groups what results are reported by: {@code subset}, {@code section}, {@code domain},
 *     {@code source} …
 */
public record Example(
    String id,
    String prompt,
    List<Candidate> candidates,
    List<Preference> preferences,
    Map<String, String> groups) {

  /** Takes unmodifiable copies. */
  public Example {
    candidates = List.copyOf(candidates);
    preferences = List.copyOf(preferences);
    groups = Map.copyOf(groups);
  }

  /** The text of a candidate that is judged: a conversation's last message, or all of a text. */
  public String response(int candidate) {
    return switch (candidates.get(candidate).input()) {
      case Conversation conversation -> conversation.response();
      case RawText text -> text.text();
      case TokenIds _ -> "";
    };
  }
}
