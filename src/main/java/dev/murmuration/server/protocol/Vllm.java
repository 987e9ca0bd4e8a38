package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import java.util.ArrayList;
import java.util.List;

/**
 * What vLLM's requests for classes, poolings and scores have in common. vLLM ignores fields that it
 * does not know, and so do these.
 */
final class Vllm {
  private Vllm() {}

  /** The fields that say nothing here, and those that ask for what is not done here. */
  static void common(Fields fields) {
    fields.ignore("user", "request_id", "mm_processor_kwargs", "media_io_kwargs", "cache_salt");
    fields.ignore("chat_template_kwargs");
    if (fields.has("normalize")) {
      throw unsupported("normalize", "vLLM has removed it, too: use use_activation");
    }
    if (fields.integer("priority", Integer.MIN_VALUE, Integer.MAX_VALUE, 0) != 0) {
      throw unsupported("priority", "requests are computed in the order in which they come");
    }
    if (fields.word("padding", List.of("max_length", "do_not_pad"), "do_not_pad").length() == 10
        && "max_length".equals(fields.string("padding"))) {
      throw unsupported("padding", "nothing is padded here: leave it out");
    }
  }

  private static RequestFailure unsupported(String field, String remedy) {
    return RequestFailure.field(field, "the field " + field + " is not supported; " + remedy);
  }

  /** How long texts are, and on which side they are cut. */
  static CallOptions options(Fields fields) {
    CallOptions options = CallOptions.defaults();
    int most = fields.integer("truncate_prompt_tokens", -1, Integer.MAX_VALUE, -1);
    if (most == 0) {
      throw RequestFailure.field(
          "truncate_prompt_tokens",
          "truncate_prompt_tokens is 0, which leaves nothing to score; it takes 1 or more, or -1");
    }
    options = most < 0 ? options : options.contextLength(most);
    String side = fields.word("truncation_side", List.of("left", "right"), null);
    return side == null ? options : options.cutLeft(side.equals("left"));
  }

  /** Whether a reward is to become a number between 0 and 1. Not by default, for it is a reward. */
  static boolean activation(Fields fields) {
    boolean old = fields.bool("activation", false);
    return fields.bool("use_activation", old);
  }

  static float activated(float reward, boolean activation) {
    return activation ? (float) (1 / (1 + Math.exp(-reward))) : reward;
  }

  /** The inputs of a request with {@code input} or {@code messages}. */
  static List<Input> inputs(Fields fields) {
    if (!fields.has("messages")) {
      boolean added = fields.bool("add_special_tokens", true);
      return texts("input", fields.require("input"), added);
    }
    for (String name : List.of("add_generation_prompt", "continue_final_message")) {
      if (fields.bool(name, false)) {
        throw unsupported(name, "a reward is that of a complete answer: leave it out");
      }
    }
    if (fields.bool("add_special_tokens", false)) {
      throw unsupported("add_special_tokens", "the template puts them where the model wants them");
    }
    if (fields.has("chat_template")) {
      throw unsupported("chat_template", "start the server with --template");
    }
    return List.of(new Conversation(Fields.messages("messages", fields.require("messages"))));
  }

  /**
   * A text, texts, a text's tokens, or the tokens of texts. Clients send texts with the marks of a
   * template, BOS among them; they get no second one.
   */
  static List<Input> texts(String path, JsonNode value, boolean added) {
    Input.Added how = added ? Input.Added.IF_MISSING : Input.Added.NEVER;
    if (value.isTextual()) {
      return List.of(Input.text(value.textValue(), how));
    }
    List<JsonNode> elements = Fields.array(path, value);
    if (!elements.isEmpty() && elements.getFirst().isNumber()) {
      return List.of(Input.tokens(Fields.integers(path, value)));
    }
    List<Input> inputs = new ArrayList<>();
    for (JsonNode element : elements) {
      String at = path + "[" + inputs.size() + "]";
      inputs.add(
          element.isArray()
              ? Input.tokens(Fields.integers(at, element))
              : Input.text(Fields.text(at, element), how));
    }
    return inputs;
  }

  /** The beginning of an answer. */
  static ObjectNode head(Scored scored, String prefix) {
    return JsonNodeFactory.instance
        .objectNode()
        .put("id", prefix + scored.id())
        .put("object", "list")
        .put("created", scored.created())
        .put("model", scored.model());
  }

  /** The end of an answer. */
  static ObjectNode usage(ObjectNode answer, Scored scored) {
    answer
        .putObject("usage")
        .put("prompt_tokens", scored.tokens())
        .put("total_tokens", scored.tokens())
        .put("completion_tokens", 0)
        .putNull("prompt_tokens_details");
    return answer;
  }
}
