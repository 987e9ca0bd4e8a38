package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** vLLM's {@code /score}: the second text of each pair as the answer to the first. */
final class PairScores implements Protocol {
  private static final List<List<String>> NAMES =
      List.of(
          List.of("text_1", "text_2"),
          List.of("queries", "documents"),
          List.of("queries", "items"),
          List.of("data_1", "data_2"));

  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request);
    String model = fields.string("model");
    Vllm.common(fields);
    CallOptions options = Vllm.options(fields);
    boolean activation = Vllm.activation(fields);
    List<String> names =
        NAMES.stream()
            .filter(pair -> pair.stream().allMatch(fields::has))
            .findFirst()
            .orElseThrow(
                () ->
                    RequestFailure.of(
                        400,
                        "give two fields: text_1 and text_2, or queries and documents, or data_1"
                            + " and data_2"));
    List<Input> inputs =
        pairs(names, texts(names.getFirst(), fields), texts(names.getLast(), fields));
    ignored.accept(fields.unknown());
    return new Question.Score(model, inputs, options, scored -> answer(scored, activation));
  }

  @Override
  public ErrorShape errors(ObjectNode request) {
    return ErrorShape.VLLM;
  }

  private static List<String> texts(String name, Fields fields) {
    JsonNode value = fields.require(name);
    return value.isTextual() ? List.of(value.textValue()) : Fields.strings(name, value);
  }

  private static List<Input> pairs(List<String> names, List<String> first, List<String> second) {
    if (first.isEmpty() || second.isEmpty()) {
      String empty = names.get(first.isEmpty() ? 0 : 1);
      throw RequestFailure.field(empty, empty + " is empty; give one text or more");
    }
    if (first.size() != 1 && first.size() != second.size()) {
      throw RequestFailure.of(
          400,
          names.getFirst()
              + " has "
              + first.size()
              + " texts and "
              + names.getLast()
              + " "
              + second.size()
              + "; give one and any number, or as many of both");
    }
    List<Input> pairs = new ArrayList<>();
    for (int i = 0; i < second.size(); i++) {
      pairs.add(Input.of(first.get(first.size() == 1 ? 0 : i), second.get(i)));
    }
    return pairs;
  }

  private static ObjectNode answer(Scored scored, boolean activation) {
    ObjectNode answer = Vllm.head(scored, "score-");
    ArrayNode data = answer.putArray("data");
    for (Reward reward : scored.rewards()) {
      data.addObject()
          .put("index", data.size() - 1)
          .put("object", "score")
          .put("score", Vllm.activated(Scored.number(reward), activation));
    }
    return Vllm.usage(answer, scored);
  }
}
