package dev.murmuration.dataset;

import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.List;

/** Rows of several responses, ranked, scored or divided into good and bad ones. */
final class RankedSchemas {
  /** RM-Bench's order. */
  private static final List<String> STYLES = List.of("concise", "detailed", "markdown");

  private RankedSchemas() {}

  /** Rank 1 is the best; answers of one rank are not compared. */
  static Example nectar(Columns row) {
    List<Message> prompt = Transcripts.prompt(row.text("prompt"));
    List<Candidate> candidates = new ArrayList<>();
    List<Double> worths = new ArrayList<>();
    for (Columns answer : row.objects("answers")) {
      candidates.add(
          new Candidate(
              Columns.conversation(prompt, answer.text("answer")),
              answer.optionalText("model"),
              ""));
      worths.add(-answer.number("rank"));
    }
    return ranked(row, prompt, candidates, worths, "source");
  }

  /**
   * By {@code fine-grained_score}, the mean of the four aspects, where there is one: {@code
   * overall_score} is known to be wrong in a part of the rows.
   */
  static Example ultraFeedback(Columns row) {
    List<Message> prompt = List.of(Message.user(row.text("instruction")));
    List<Candidate> candidates = new ArrayList<>();
    List<Double> worths = new ArrayList<>();
    for (Columns completion : row.objects("completions")) {
      candidates.add(
          new Candidate(
              Columns.conversation(prompt, completion.text("response")),
              completion.optionalText("model"),
              ""));
      worths.add(
          completion.number(
              completion.has("fine-grained_score") ? "fine-grained_score" : "overall_score"));
    }
    return ranked(row, prompt, candidates, worths, "source");
  }

  static Example rewardBench2(Columns row) {
    List<Message> prompt = row.prompt("prompt");
    List<Candidate> candidates = new ArrayList<>();
    int good = add(candidates, prompt, row.texts("chosen"), List.of());
    add(candidates, prompt, row.texts("rejected"), List.of());
    return divided(row, prompt, candidates, good, "subset");
  }

  static Example rmBench(Columns row) {
    List<Message> prompt = row.prompt("prompt");
    List<Candidate> candidates = new ArrayList<>();
    int good = add(candidates, prompt, row.texts("chosen"), STYLES);
    int bad = add(candidates, prompt, row.texts("rejected"), STYLES) - good;
    if (good != STYLES.size() || bad != STYLES.size()) {
      throw new IllegalArgumentException(
          "the row has "
              + good
              + " chosen and "
              + bad
              + " rejected responses, expected 3 each: concise, detailed, markdown");
    }
    return divided(row, prompt, candidates, good, "domain");
  }

  /** Adds a candidate for each response; returns how many there are. */
  private static int add(
      List<Candidate> candidates,
      List<Message> prompt,
      List<String> responses,
      List<String> styles) {
    for (int i = 0; i < responses.size(); i++) {
      candidates.add(
          new Candidate(
              Columns.conversation(prompt, responses.get(i)),
              "",
              i < styles.size() ? styles.get(i) : ""));
    }
    return candidates.size();
  }

  /** The first candidates are good ones, the others bad ones. */
  private static Example divided(
      Columns row, List<Message> prompt, List<Candidate> candidates, int good, String... groups) {
    List<Preference> preferences = new ArrayList<>();
    for (int better = 0; better < good; better++) {
      for (int worse = good; worse < candidates.size(); worse++) {
        preferences.add(new Preference(better, worse, 1));
      }
    }
    return example(row, prompt, candidates, preferences, groups);
  }

  /** Of each two candidates the one of greater worth is better. */
  private static Example ranked(
      Columns row,
      List<Message> prompt,
      List<Candidate> candidates,
      List<Double> worths,
      String... groups) {
    List<Preference> preferences = new ArrayList<>();
    for (int i = 0; i < candidates.size(); i++) {
      for (int j = 0; j < candidates.size(); j++) {
        if (worths.get(i) > worths.get(j)) {
          preferences.add(new Preference(i, j, worths.get(i) - worths.get(j)));
        }
      }
    }
    return example(row, prompt, candidates, preferences, groups);
  }

  private static Example example(
      Columns row,
      List<Message> prompt,
      List<Candidate> candidates,
      List<Preference> preferences,
      String... groups) {
    if (candidates.isEmpty()) {
      throw new IllegalArgumentException("the row has no responses");
    }
    return new Example(
        PlainSchemas.id(row),
        PlainSchemas.key(prompt),
        candidates,
        preferences,
        row.groups(groups));
  }
}
