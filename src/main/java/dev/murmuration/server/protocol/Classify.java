package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import java.util.List;
import java.util.function.Consumer;

/** {@code /classify}: vLLM's, or SGLang's own where the texts are called {@code text}. */
final class Classify implements Protocol {
  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request);
    String model = fields.string("model");
    Question question = isSglang(request) ? sglang(fields, model) : vllm(fields, model);
    ignored.accept(fields.unknown());
    return question;
  }

  @Override
  public ErrorShape errors(ObjectNode request) {
    return request != null && isSglang(request) ? ErrorShape.NATIVE : ErrorShape.VLLM;
  }

  private static boolean isSglang(ObjectNode request) {
    return !request.has("input")
        && !request.has("messages")
        && (request.has("text") || request.has("input_ids"));
  }

  private static Question vllm(Fields fields, String model) {
    Vllm.common(fields);
    CallOptions options = Vllm.options(fields);
    boolean activation = Vllm.activation(fields);
    return new Question.Score(
        model, Vllm.inputs(fields), options, scored -> classes(scored, activation));
  }

  private static ObjectNode classes(Scored scored, boolean activation) {
    ObjectNode answer = Vllm.head(scored, "classify-");
    ArrayNode data = answer.putArray("data");
    for (Reward reward : scored.rewards()) {
      ObjectNode item = data.addObject().put("index", data.size() - 1).put("label", "LABEL_0");
      item.putArray("probs").add(Vllm.activated(Scored.number(reward), activation));
      item.put("num_classes", 1);
    }
    return Vllm.usage(answer, scored);
  }

  private static Question sglang(Fields fields, String model) {
    fields.ignore("rid", "priority", "sampling_params", "log_metrics", "return_prompt_token_ids");
    String name = fields.has("text") ? "text" : "input_ids";
    boolean single = name.equals("text") && fields.get("text").isTextual();
    List<Input> inputs = Vllm.texts(name, fields.require(name), true);
    boolean one = single || (name.equals("input_ids") && !fields.get(name).path(0).isArray());
    return new Question.Score(
        model, inputs, CallOptions.defaults(), scored -> embeddings(scored, one));
  }

  private static com.fasterxml.jackson.databind.JsonNode embeddings(Scored scored, boolean one) {
    ArrayNode answer = JsonNodeFactory.instance.arrayNode();
    for (Reward reward : scored.rewards()) {
      ObjectNode item = answer.addObject();
      item.putArray("embedding").add(Scored.number(reward));
      item.putObject("meta_info")
          .put("id", scored.id() + "-" + (answer.size() - 1))
          .putNull("finish_reason")
          .put("prompt_tokens", reward.tokens());
    }
    return one ? answer.get(0) : answer;
  }
}
