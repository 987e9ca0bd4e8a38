package dev.murmuration.evaluation;

import dev.murmuration.dataset.Example;
import dev.murmuration.dataset.Preference;
import dev.murmuration.reward.Reward;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * An example and its rewards, without the texts.
 *
 * @param row number of the row in its data set
 * @param id the row's own id, or an empty text
 * @param prompt tells rows with the same prompt
 * @param groups what results are reported by
 * @param candidates what is known of each candidate, in the order of the row
 * @param preferences pairs of candidates
 */
public record Judged(
    long row,
    String id,
    int prompt,
    Map<String, String> groups,
    List<Response> candidates,
    List<Preference> preferences) {

  /**
   * What is known of a candidate.
   *
   * @param reward of it
   * @param characters of the response
   * @param marks of Markdown in the response: headings, items, code, emphasis
   * @param truncated whether the text was cut
   * @param style of a benchmark that has styles, or an empty text
   */
  public record Response(
      double reward, int characters, int marks, boolean truncated, String style) {}

  /** Takes unmodifiable copies. */
  public Judged {
    groups = Map.copyOf(groups);
    candidates = List.copyOf(candidates);
    preferences = List.copyOf(preferences);
  }

  /**
   * An example with its rewards.
   *
   * @param rewards one for each candidate
   */
  public static Judged of(long row, Example example, List<Reward> rewards) {
    List<Response> responses = new ArrayList<>();
    for (int i = 0; i < rewards.size(); i++) {
      boolean truncated = rewards.get(i).truncatedTokens() > 0;
      responses.add(response(example, i, rewards.get(i).reward(), truncated));
    }
    return judged(row, example, responses);
  }

  /**
   * An example with rewards that were stored.
   *
   * @param rewards one for each candidate
   * @throws IllegalArgumentException if there are more or fewer
   */
  public static Judged ofRewards(long row, Example example, List<Double> rewards) {
    if (rewards.size() != example.candidates().size()) {
      throw new IllegalArgumentException(
          "the row has "
              + rewards.size()
              + " rewards for "
              + example.candidates().size()
              + " responses; score it again");
    }
    List<Response> responses = new ArrayList<>();
    for (int i = 0; i < rewards.size(); i++) {
      responses.add(response(example, i, rewards.get(i), false));
    }
    return judged(row, example, responses);
  }

  private static Response response(
      Example example, int candidate, double reward, boolean truncated) {
    String text = example.response(candidate);
    String style = example.candidates().get(candidate).style();
    return new Response(reward, text.length(), Markdown.marks(text), truncated, style);
  }

  private static Judged judged(long row, Example example, List<Response> responses) {
    return new Judged(
        row,
        example.id(),
        // Texts without a prompt have nothing in common.
        example.prompt().isEmpty() ? Long.hashCode(row) : example.prompt().hashCode(),
        example.groups(),
        responses,
        example.preferences());
  }

  /** The rewards of all rows' candidates. */
  static List<double[]> rewards(List<Judged> rows) {
    return rows.stream()
        .map(row -> row.candidates().stream().mapToDouble(Response::reward).toArray())
        .toList();
  }

  double reward(int candidate) {
    return candidates.get(candidate).reward();
  }

  /** By how much the better candidate of a pair is ahead; negative where the model disagrees. */
  double margin(Preference pair) {
    return reward(pair.better()) - reward(pair.worse());
  }

  /**
   * How many candidates each one is preferred to, less how many are preferred to it: their order
   * where the data set ranks them.
   */
  int[] worths() {
    int[] worths = new int[candidates.size()];
    for (Preference pair : preferences) {
      worths[pair.better()]++;
      worths[pair.worse()]--;
    }
    return worths;
  }
}
