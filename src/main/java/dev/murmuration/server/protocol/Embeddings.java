package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

/** SGLang's {@code /v1/embeddings} of a reward model: embeddings of one number. */
final class Embeddings implements Protocol {
  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request).ignore("user", "rid", "priority");
    String model = fields.string("model");
    List<Input> inputs = Vllm.texts("input", fields.require("input"), true);
    if (inputs.isEmpty()) {
      throw RequestFailure.field("input", "input is empty; give a text, or several");
    }
    if (fields.integer("dimensions", 1, Integer.MAX_VALUE, 1) != 1) {
      throw RequestFailure.field("dimensions", "dimensions is not 1, and a reward has one");
    }
    boolean base64 =
        fields.word("encoding_format", List.of("float", "base64"), "float").equals("base64");
    ignored.accept(fields.unknown());
    return new Question.Score(
        model, inputs, CallOptions.defaults(), scored -> answer(scored, base64));
  }

  @Override
  public ErrorShape errors(ObjectNode request) {
    return ErrorShape.SGLANG;
  }

  private static ObjectNode answer(Scored scored, boolean base64) {
    ObjectNode answer = JsonNodeFactory.instance.objectNode();
    ArrayNode data = answer.putArray("data");
    for (Reward reward : scored.rewards()) {
      ObjectNode item = data.addObject();
      if (base64) {
        // OpenAI's clients ask for that unless they are told otherwise, and expect this order.
        ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        item.put(
            "embedding",
            Base64.getEncoder().encodeToString(bytes.putFloat(Scored.number(reward)).array()));
      } else {
        item.putArray("embedding").add(Scored.number(reward));
      }
      item.put("index", data.size() - 1).put("object", "embedding");
    }
    answer.put("model", scored.model()).put("object", "list");
    return Vllm.usage(answer, scored);
  }
}
