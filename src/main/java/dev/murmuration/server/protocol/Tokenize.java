package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import java.util.List;
import java.util.function.Consumer;

/** vLLM's {@code /tokenize}: the tokens that would be scored. */
final class Tokenize implements Protocol {
  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request).ignore("add_generation_prompt", "return_token_strs");
    String model = fields.string("model");
    CallOptions options =
        fields.has("literal")
            ? CallOptions.defaults().literal(fields.bool("literal", false))
            : CallOptions.defaults();
    Input input =
        fields.has("messages")
            ? new Conversation(Fields.messages("messages", fields.require("messages")))
            : Input.text(
                fields.requireString("prompt"),
                fields.bool("add_special_tokens", true)
                    ? Input.Added.IF_MISSING
                    : Input.Added.NEVER);
    ignored.accept(fields.unknown());
    return new Question.Tokens(model, input, options, Tokenize::answer);
  }

  private static ObjectNode answer(Question.TokenizedText text) {
    ObjectNode answer =
        JsonNodeFactory.instance
            .objectNode()
            .put("count", text.ids().size())
            .put("max_model_len", text.contextLength());
    ArrayNode tokens = answer.putArray("tokens");
    text.ids().forEach(tokens::add);
    ArrayNode texts = answer.putArray("token_strs");
    text.texts().forEach(texts::add);
    return answer;
  }

  @Override
  public ErrorShape errors(ObjectNode request) {
    return ErrorShape.VLLM;
  }
}
