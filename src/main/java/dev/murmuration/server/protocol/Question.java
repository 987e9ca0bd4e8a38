package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.ScoringCost;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Function;

/** What a request asks for, and how the answer is written. */
public sealed interface Question {
  /** The model that is asked, or null for the server's first one. */
  String model();

  /** What the request wants otherwise than usual. */
  CallOptions options();

  /**
   * Rewards.
   *
   * @param traces whether the rewards at every token are asked for
   * @param answer from what became of the inputs to the body of the answer
   * @param stream how results are written one by one, or null if they are not
   */
  record Score(
      String model,
      List<? extends Input> inputs,
      boolean traces,
      CallOptions options,
      Function<Scored, JsonNode> answer,
      Stream stream)
      implements Question {
    /** Rewards at the end of each input, in one answer. */
    Score(
        String model,
        List<? extends Input> inputs,
        CallOptions options,
        Function<Scored, JsonNode> answer) {
      this(model, inputs, false, options, answer, null);
    }
  }

  /** An answer in lines. */
  interface Stream {
    /** The line for one input. */
    ObjectNode line(int index, Scored.Result result);

    /** The last line. */
    ObjectNode end(Scored scored);
  }

  /** What rewards would cost. */
  record Cost(
      String model,
      List<? extends Input> inputs,
      CallOptions options,
      BiFunction<Scored, ScoringCost, JsonNode> answer)
      implements Question {}

  /** The tokens of a text. */
  record Tokens(
      String model, Input input, CallOptions options, Function<TokenizedText, JsonNode> answer)
      implements Question {}

  /**
   * A text's tokens.
   *
   * @param contextLength the most tokens that are scored of one
   */
  record TokenizedText(List<Integer> ids, List<String> texts, int contextLength) {}
}
