package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardTrace;
import dev.murmuration.reward.ScoringCost;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;
import java.util.function.Supplier;

/** Our own: {@code POST /v1/rewards}. */
final class NativeRewards implements Protocol {
  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request);
    String model = fields.string("model");
    boolean ranked = fields.has("prompt") || fields.has("responses");
    if (ranked == fields.has("inputs")) {
      throw RequestFailure.of(400, "give either prompt and responses, which are ranked, or inputs");
    }
    List<Input> inputs = ranked ? responses(fields) : inputs(fields);
    CallOptions options = options(fields);
    boolean traces = fields.bool("trace", false);
    boolean streams = fields.bool("stream", false);
    boolean explains = fields.bool("explain", false);
    fields.requireNoOther();
    if (explains) {
      return new Question.Cost(model, inputs, options, NativeRewards::cost);
    }
    return new Question.Score(
        model,
        inputs,
        traces,
        options,
        scored -> list(scored, ranked),
        streams ? new Lines(ranked) : null);
  }

  private static List<Input> responses(Fields fields) {
    String prompt = fields.requireString("prompt");
    List<Input> inputs = new ArrayList<>();
    for (String response : fields.requireStrings("responses")) {
      inputs.add(Input.of(prompt, response));
    }
    return inputs;
  }

  private static List<Input> inputs(Fields fields) {
    List<Input> inputs = new ArrayList<>();
    for (JsonNode element : fields.requireArray("inputs")) {
      String path = "inputs[" + inputs.size() + "]";
      inputs.add(named(path, () -> input(path, Fields.of(path, element))));
    }
    return inputs;
  }

  /** What is refused of an input, with its place. */
  private static Input named(String path, Supplier<Input> input) {
    try {
      return input.get();
    } catch (IllegalArgumentException e) {
      throw RequestFailure.field(path, path + ": " + e.getMessage());
    }
  }

  private static Input input(String path, Fields fields) {
    Input input;
    if (fields.has("messages")) {
      input = new Conversation(Fields.messages(path + ".messages", fields.require("messages")));
    } else if (fields.has("text")) {
      input = Input.text(fields.requireString("text"));
    } else if (fields.has("tokens")) {
      input = Input.tokens(Fields.integers(path + ".tokens", fields.require("tokens")));
    } else {
      input = Input.of(fields.requireString("prompt"), fields.requireString("response"));
    }
    fields.requireNoOther();
    return input;
  }

  private static CallOptions options(Fields fields) {
    CallOptions options = CallOptions.defaults().waits(fields.bool("wait", true));
    if (fields.has("literal")) {
      options = options.literal(fields.bool("literal", false));
    }
    Double seconds = fields.seconds("timeout");
    return seconds == null ? options : options.timeout(Duration.ofNanos(Math.round(seconds * 1e9)));
  }

  // ---- the answer ----

  private static ObjectNode head(Scored scored, String object) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", "rewards-" + scored.id())
        .put("object", object)
        .put("created", scored.created())
        .put("model", scored.model())
        .put("template", scored.about().template())
        .put("precision", scored.about().precision())
        .put("readout", scored.about().readout())
        .put("build", scored.about().build());
  }

  private static ObjectNode list(Scored scored, boolean ranked) {
    ObjectNode answer = head(scored, "list");
    ArrayNode data = answer.putArray("data");
    for (int i = 0; i < scored.results().size(); i++) {
      data.add(result(i, scored.results().get(i)));
    }
    if (ranked) {
      for (Ranking.Entry entry : ranking(scored)) {
        rank((ObjectNode) data.get(entry.index()), entry);
      }
    }
    usage(answer, scored);
    return answer;
  }

  private static ObjectNode result(int index, Scored.Result result) {
    ObjectNode item = JsonNodeFactory.instance.objectNode().put("index", index);
    if (result.failure() != null) {
      item.putObject("error")
          .put("message", result.failure().getMessage())
          .put("type", "not_finite");
      return item;
    }
    Reward reward = result.reward();
    item.put("reward", Scored.number(reward))
        .put("tokens", reward.tokens())
        .put("truncated_tokens", reward.truncatedTokens())
        .put("readout_index", reward.readoutIndex())
        .put("readout_token_id", reward.readoutTokenId());
    if (result.trace() != null) {
      item.put("response_start", result.trace().responseStart());
      ArrayNode steps = item.putArray("trace");
      for (RewardTrace.Step step : result.trace().steps()) {
        steps
            .addObject()
            .put("index", step.index())
            .put("token_id", step.tokenId())
            .put("text", step.text())
            .put("reward", (float) step.reward());
      }
    }
    return item;
  }

  /** The responses that have a reward, best first, with their places in the request. */
  private static List<Ranking.Entry> ranking(Scored scored) {
    List<Reward> rewards =
        scored.results().stream().map(Scored.Result::reward).filter(Objects::nonNull).toList();
    if (rewards.isEmpty()) {
      return List.of();
    }
    List<Integer> places = new ArrayList<>();
    for (int i = 0; i < scored.results().size(); i++) {
      if (scored.results().get(i).reward() != null) {
        places.add(i);
      }
    }
    List<String> unnamed = rewards.stream().map(_ -> "").toList();
    return Ranking.of(unnamed, rewards).entries().stream()
        .map(
            entry ->
                new Ranking.Entry(
                    entry.rank(),
                    places.get(entry.index()),
                    "",
                    entry.reward(),
                    entry.probabilityOfBest()))
        .toList();
  }

  private static void rank(ObjectNode item, Ranking.Entry entry) {
    item.put("rank", entry.rank()).put("probability_of_best", (float) entry.probabilityOfBest());
  }

  private static void usage(ObjectNode answer, Scored scored) {
    answer
        .putObject("usage")
        .put("prompt_tokens", scored.tokens())
        .put("total_tokens", scored.tokens());
  }

  private static JsonNode cost(Scored scored, ScoringCost cost) {
    ObjectNode answer = head(scored, "cost");
    answer
        .put("tokens_asked", cost.tokensAsked())
        .put("tokens_computed", cost.tokensComputed())
        .put("tokens_reused", cost.tokensReused())
        .put("fillers", cost.fillers());
    ArrayNode decodes = answer.putArray("decodes");
    cost.decodes().forEach(decodes::add);
    return answer;
  }

  private record Lines(boolean ranked) implements Question.Stream {
    @Override
    public ObjectNode line(int index, Scored.Result result) {
      return result(index, result);
    }

    @Override
    public ObjectNode end(Scored scored) {
      ObjectNode end = head(scored, "end");
      if (ranked) {
        ArrayNode data = end.putArray("data");
        for (Ranking.Entry entry : ranking(scored)) {
          rank(data.addObject().put("index", entry.index()), entry);
        }
      }
      usage(end, scored);
      return end;
    }
  }
}
