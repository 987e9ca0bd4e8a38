package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.FloatNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/** The protocols of trainers that have a small one each. None of their servers refuses a field. */
final class Trainers {
  private Trainers() {}

  private static ArrayNode numbers(Scored scored) {
    ArrayNode numbers = JsonNodeFactory.instance.arrayNode();
    scored.rewards().forEach(reward -> numbers.add(Scored.number(reward)));
    return numbers;
  }

  private static List<Input> templated(List<String> texts) {
    List<Input> inputs = new ArrayList<>();
    texts.forEach(text -> inputs.add(Input.text(text, Input.Added.IF_MISSING)));
    return inputs;
  }

  /**
   * OpenRLHF's remote reward model: texts in the policy's template, marks and BOS included. Prompts
   * and labels come along, and are not needed.
   */
  static final class OpenRlhf implements Protocol {
    @Override
    public Question read(ObjectNode request, Consumer<List<String>> ignored) {
      Fields fields = new Fields(request).ignore("prompts", "labels");
      String model = fields.string("model");
      List<Input> inputs = templated(fields.requireStrings("query"));
      ignored.accept(fields.unknown());
      return new Question.Score(model, inputs, CallOptions.defaults(), OpenRlhf::answer);
    }

    private static ObjectNode answer(Scored scored) {
      ObjectNode answer = JsonNodeFactory.instance.objectNode();
      answer.set("rewards", numbers(scored));
      answer.set("scores", numbers(scored));
      answer.putObject("extra_logs");
      return answer;
    }

    @Override
    public ErrorShape errors(ObjectNode request) {
      return ErrorShape.PLAIN;
    }
  }

  /** slime's remote reward model: one sample, answered with one number. */
  static final class Slime implements Protocol {
    private final boolean templated;

    /**
     * @param templated whether prompts are texts in a template already, which the response goes on
     */
    Slime(boolean templated) {
      this.templated = templated;
    }

    @Override
    public Question read(ObjectNode request, Consumer<List<String>> ignored) {
      Fields fields = new Fields(request).ignore("label");
      String model = fields.string("model");
      Input input = input(fields.require("prompt"), fields.requireString("response"));
      ignored.accept(fields.unknown());
      return new Question.Score(
          model,
          List.of(input),
          CallOptions.defaults(),
          scored -> FloatNode.valueOf(Scored.number(scored.rewards().getFirst())));
    }

    private Input input(JsonNode prompt, String response) {
      if (prompt.isArray()) {
        List<Message> messages = new ArrayList<>(Fields.messages("prompt", prompt));
        messages.add(Message.assistant(response));
        return new Conversation(messages);
      }
      String text = Fields.text("prompt", prompt);
      return templated
          ? Input.text(text + response, Input.Added.IF_MISSING)
          : Input.of(text, response);
    }

    @Override
    public ErrorShape errors(ObjectNode request) {
      return ErrorShape.PLAIN;
    }
  }

  /**
   * NeMo-Gym's verification: what was asked and answered in OpenAI's form, and the reward of it.
   */
  static final class NemoGym implements Protocol {
    @Override
    public Question read(ObjectNode request, Consumer<List<String>> ignored) {
      Fields fields = new Fields(request);
      Fields asked =
          Fields.of("responses_create_params", fields.require("responses_create_params"));
      List<Message> messages = new ArrayList<>(asked(asked));
      Fields response = Fields.of("response", fields.require("response"));
      messages.add(Message.assistant(answered(response.requireArray("output"))));
      return new Question.Score(
          null,
          List.of(new Conversation(messages)),
          CallOptions.defaults(),
          scored -> request.deepCopy().put("reward", Scored.number(scored.rewards().getFirst())));
    }

    private static List<Message> asked(Fields fields) {
      List<Message> messages = new ArrayList<>();
      String instructions = fields.string("instructions");
      if (instructions != null) {
        messages.add(Message.system(instructions));
      }
      JsonNode input = fields.require("input");
      if (input.isTextual()) {
        messages.add(Message.user(input.textValue()));
      } else {
        messages.addAll(Fields.messages("responses_create_params.input", input));
      }
      return messages;
    }

    /** The texts of the answer; what a model thinks, or asks of tools, is not judged. */
    private static String answered(List<JsonNode> output) {
      StringBuilder text = new StringBuilder();
      for (int i = 0; i < output.size(); i++) {
        if (output.get(i).path("type").asText("message").equals("message")) {
          String path = "response.output[" + i + "]";
          Fields message = Fields.of(path, output.get(i));
          text.append(Fields.content(path + ".content", message.require("content")));
        }
      }
      return text.toString();
    }

    @Override
    public ErrorShape errors(ObjectNode request) {
      return ErrorShape.DETAIL;
    }
  }

  /** LLaMA-Factory's API of a reward model: texts as they are. */
  static final class LlamaFactory implements Protocol {
    @Override
    public Question read(ObjectNode request, Consumer<List<String>> ignored) {
      Fields fields = new Fields(request);
      String model = fields.string("model");
      List<String> texts = fields.requireStrings("messages");
      if (texts.isEmpty()) {
        throw RequestFailure.field("messages", "messages is empty; give a text, or several");
      }
      int most = fields.integer("max_length", 1, Integer.MAX_VALUE, Integer.MAX_VALUE);
      ignored.accept(fields.unknown());
      return new Question.Score(
          model,
          templated(texts),
          CallOptions.defaults().contextLength(most),
          LlamaFactory::answer);
    }

    private static ObjectNode answer(Scored scored) {
      ObjectNode answer = JsonNodeFactory.instance.objectNode();
      answer
          .put("id", "scoreval-" + scored.id())
          .put("object", "score.evaluation")
          .put("model", scored.model())
          .set("scores", numbers(scored));
      return answer;
    }

    @Override
    public ErrorShape errors(ObjectNode request) {
      return ErrorShape.DETAIL;
    }
  }
}
