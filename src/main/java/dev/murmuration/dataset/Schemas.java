package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The schemas that are read out of the box, the more special ones first. */
public final class Schemas {
  private record Listed(
      String name,
      String description,
      List<String> texts,
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
              List.of("prompt", "answers"),
              c -> c.has("prompt", "answers"),
              RankedSchemas::nectar),
          new Listed(
              "ultrafeedback",
              "instruction, completions[{model, response, overall_score}]",
              List.of("instruction", "completions"),
              c -> c.has("instruction", "completions"),
              RankedSchemas::ultraFeedback),
          new Listed(
              "ultrafeedback_binarized",
              "chosen[{role, content}], rejected[…], score_chosen, score_rejected",
              List.of("prompt", "chosen", "rejected", "messages"),
              c -> c.has("chosen", "rejected", "score_chosen", "score_rejected"),
              PairSchemas::ultraFeedbackBinarized),
          new Listed(
              "rewardbench2",
              "prompt, chosen[], rejected[], num_correct, subset",
              List.of("prompt", "chosen", "rejected"),
              c -> c.has("prompt", "chosen", "rejected", "num_correct"),
              RankedSchemas::rewardBench2),
          new Listed(
              "rm-bench",
              "prompt, chosen[3], rejected[3], domain",
              List.of("prompt", "chosen", "rejected"),
              c ->
                  c.has("prompt", "chosen", "rejected", "domain")
                      && c.row().get("chosen").isArray(),
              RankedSchemas::rmBench),
          new Listed(
              "rewardbench",
              "prompt, chosen, rejected, chosen_model, rejected_model, subset",
              List.of("prompt", "chosen", "rejected"),
              c -> c.has("prompt", "chosen", "rejected", "subset"),
              PairSchemas::rewardBench),
          new Listed(
              "judgebench",
              "question, response_A, response_B, label",
              List.of("question", "response_A", "response_B"),
              c -> c.has("question", "response_A", "response_B", "label"),
              PairSchemas::judgeBench),
          new Listed(
              "helpsteer2",
              "prompt, response_1, response_2, preference_strength",
              List.of("prompt", "response_1", "response_2"),
              c -> c.has("prompt", "response_1", "response_2", "preference_strength"),
              PairSchemas::helpSteer2),
          new Listed(
              "helpsteer3",
              "context[{role, content}], response1, response2, overall_preference",
              List.of("context", "response1", "response2"),
              c -> c.has("context", "response1", "response2", "overall_preference"),
              PairSchemas::helpSteer3),
          new Listed(
              "hh-rlhf",
              "chosen, rejected: transcripts of Human and Assistant",
              List.of("chosen", "rejected"),
              c -> PairSchemas.isTranscript(c, "chosen") && PairSchemas.isTranscript(c, "rejected"),
              PairSchemas::hhRlhf),
          new Listed(
              "preference",
              "prompt (or none), chosen, rejected: strings or messages",
              List.of("prompt", "chosen", "rejected"),
              c -> c.has("chosen", "rejected"),
              PairSchemas::preference),
          new Listed(
              "responses",
              "prompt, responses[]",
              List.of("prompt", "responses"),
              c -> c.has("prompt", "responses"),
              PlainSchemas::responses),
          new Listed(
              "response",
              "prompt, response",
              List.of("prompt", "response"),
              c -> c.has("prompt", "response"),
              PlainSchemas::response),
          new Listed(
              "messages",
              "messages[{role, content}]",
              List.of("messages"),
              c -> c.has("messages"),
              PlainSchemas::messages),
          new Listed(
              "text",
              "text, without a template",
              List.of("text"),
              c -> c.has("text"),
              PlainSchemas::text));

  private static final Set<String> PLAIN = Set.of("response", "responses", "messages", "text");

  /** What is missing where only the other one is there. */
  private static final String[][] PAIRS = {
    {"prompt", "response"}, {"response", "prompt"}, {"chosen", "rejected"}, {"rejected", "chosen"}
  };

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

  /**
   * The schema of a row that stands for itself, as those of a stream do.
   *
   * @param row an object
   * @throws IllegalArgumentException if it holds nothing to score, or more than one thing
   */
  public static Schema ofOne(JsonNode row) {
    Schema schema = recognise(row).orElseThrow(() -> nothing(row));
    if (PLAIN.contains(schema.name()) && things(row) > 1) {
      throw new IllegalArgumentException(
          "the row holds more than one thing to score; give \"prompt\" and \"response\", or"
              + " \"messages\", or \"text\"");
    }
    return schema;
  }

  private static long things(JsonNode row) {
    boolean answered = row.hasNonNull("response") || row.hasNonNull("responses");
    return Stream.of("response", "responses", "messages", "text").filter(row::hasNonNull).count()
        + (row.hasNonNull("prompt") && !answered ? 1 : 0);
  }

  private static IllegalArgumentException nothing(JsonNode row) {
    for (String[] pair : PAIRS) {
      if (row.hasNonNull(pair[0])) {
        return new IllegalArgumentException("the row has no \"" + pair[1] + "\"");
      }
    }
    return new IllegalArgumentException(
        "the row holds nothing to score; give \"prompt\" and \"response\", or \"messages\", or"
            + " \"text\", or the columns of a schema that is known");
  }

  /** Whether rows of a schema never say which of two responses is preferred. */
  public static boolean isPlain(Schema schema) {
    return PLAIN.contains(schema.name());
  }

  /** The first schema that a row looks like. */
  public static Optional<Schema> recognise(JsonNode row) {
    return ALL.stream().filter(schema -> schema.matches(row)).findFirst();
  }
}
