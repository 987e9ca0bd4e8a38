package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;

/** The schemas that are read out of the box, the more special ones first. */
public final class Schemas {
  private record Listed(
      String name,
      String description,
      Predicate<Columns> recognised,
      Function<Columns, Example> reader)
      implements Schema {
    @Override
    public boolean matches(JsonNode row) {
      return row.isObject() && recognised.test(new Columns(row));
    }

    @Override
    public Example read(JsonNode row) {
      if (!row.isObject()) {
        throw new IllegalArgumentException("the row is not a JSON object");
      }
      return reader.apply(new Columns(row));
    }
  }

  private static final List<Schema> ALL =
      List.of(
          new Listed(
              "nectar",
              "prompt, answers[{answer, model, rank}]",
              c -> c.has("prompt", "answers"),
              RankedSchemas::nectar),
          new Listed(
              "ultrafeedback",
              "instruction, completions[{model, response, overall_score}]",
              c -> c.has("instruction", "completions"),
              RankedSchemas::ultraFeedback),
          new Listed(
              "ultrafeedback_binarized",
              "chosen[{role, content}], rejected[…], score_chosen, score_rejected",
              c -> c.has("chosen", "rejected", "score_chosen", "score_rejected"),
              PairSchemas::ultraFeedbackBinarized),
          new Listed(
              "rewardbench2",
              "prompt, chosen[], rejected[], num_correct, subset",
              c -> c.has("prompt", "chosen", "rejected", "num_correct"),
              RankedSchemas::rewardBench2),
          new Listed(
              "rm-bench",
              "prompt, chosen[3], rejected[3], domain",
              c ->
                  c.has("prompt", "chosen", "rejected", "domain")
                      && c.row().get("chosen").isArray(),
              RankedSchemas::rmBench),
          new Listed(
              "rewardbench",
              "prompt, chosen, rejected, chosen_model, rejected_model, subset",
              c -> c.has("prompt", "chosen", "rejected", "subset"),
              PairSchemas::rewardBench),
          new Listed(
              "judgebench",
              "question, response_A, response_B, label",
              c -> c.has("question", "response_A", "response_B", "label"),
              PairSchemas::judgeBench),
          new Listed(
              "helpsteer2",
              "prompt, response_1, response_2, preference_strength",
              c -> c.has("prompt", "response_1", "response_2", "preference_strength"),
              PairSchemas::helpSteer2),
          new Listed(
              "helpsteer3",
              "context[{role, content}], response1, response2, overall_preference",
              c -> c.has("context", "response1", "response2", "overall_preference"),
              PairSchemas::helpSteer3),
          new Listed(
              "hh-rlhf",
              "chosen, rejected: transcripts of Human and Assistant",
              c -> PairSchemas.isTranscript(c, "chosen") && PairSchemas.isTranscript(c, "rejected"),
              PairSchemas::hhRlhf),
          new Listed(
              "preference",
              "prompt (or none), chosen, rejected: strings or messages",
              c -> c.has("chosen", "rejected"),
              PairSchemas::preference),
          new Listed(
              "responses",
              "prompt, responses[]",
              c -> c.has("prompt", "responses"),
              PlainSchemas::responses),
          new Listed(
              "response",
              "prompt, response",
              c -> c.has("prompt", "response"),
              PlainSchemas::response),
          new Listed(
              "messages",
              "messages[{role, content}]",
              c -> c.has("messages"),
              PlainSchemas::messages),
          new Listed("text", "text, without a template", c -> c.has("text"), PlainSchemas::text));

  private Schemas() {}

  /** All schemas, in the order in which they are tried. */
  public static List<Schema> all() {
    return ALL;
  }

  /**
   * The schema with this name.
   *
   * @throws IllegalArgumentException if there is none
   */
  public static Schema of(String name) {
    return ALL.stream()
        .filter(schema -> schema.name().equals(name))
        .findFirst()
        .orElseThrow(
            () ->
                new IllegalArgumentException(
                    "no schema '"
                        + name
                        + "'; there are "
                        + ALL.stream().map(Schema::name).collect(Collectors.joining(", "))));
  }

  /** The first schema that a row looks like. */
  public static Optional<Schema> recognise(JsonNode row) {
    return ALL.stream().filter(schema -> schema.matches(row)).findFirst();
  }
}
