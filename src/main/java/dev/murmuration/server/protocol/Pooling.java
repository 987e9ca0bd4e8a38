package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.CallOptions;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Reward;
import dev.murmuration.reward.RewardTrace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Consumer;

/** vLLM's {@code /pooling}: one reward a text, or one a token. */
final class Pooling implements Protocol {
  private static final String EVERY_TOKEN = "token_classify";
  private static final String BASE64 = "base64";

  @Override
  public Question read(ObjectNode request, Consumer<List<String>> ignored) {
    Fields fields = new Fields(request);
    String model = fields.string("model");
    Vllm.common(fields);
    CallOptions options = Vllm.options(fields);
    boolean activation = Vllm.activation(fields);
    boolean everyToken =
        fields.word("task", List.of("classify", EVERY_TOKEN), "classify").equals(EVERY_TOKEN);
    if (fields.has("dimensions")) {
      throw RequestFailure.field("dimensions", "dimensions is not supported; a reward has one");
    }
    String encoding = fields.word("encoding_format", List.of("float", BASE64), "float");
    var _ = fields.word("embed_dtype", List.of("float32"), "float32");
    String order = fields.word("endianness", List.of("native", "little", "big"), "native");
    List<Input> inputs = Vllm.inputs(fields);
    ignored.accept(fields.unknown());
    return new Question.Score(
        model,
        inputs,
        everyToken,
        options,
        scored -> answer(scored, everyToken, activation, encoding.equals(BASE64), order(order)),
        null);
  }

  @Override
  public ErrorShape errors(ObjectNode request) {
    return ErrorShape.VLLM;
  }

  private static ByteOrder order(String name) {
    return switch (name) {
      case "little" -> ByteOrder.LITTLE_ENDIAN;
      case "big" -> ByteOrder.BIG_ENDIAN;
      default -> ByteOrder.nativeOrder();
    };
  }

  private static ObjectNode answer(
      Scored scored, boolean everyToken, boolean activation, boolean base64, ByteOrder order) {
    ObjectNode answer = Vllm.head(scored, "pooling-");
    ArrayNode data = answer.putArray("data");
    for (List<Float> rewards : everyToken ? everyToken(scored) : lastToken(scored)) {
      List<Float> numbers =
          rewards.stream().map(reward -> Vllm.activated(reward, activation)).toList();
      ObjectNode item = data.addObject().put("index", data.size() - 1).put("object", "pooling");
      if (base64) {
        item.put("data", base64(numbers, order));
      } else {
        ArrayNode pooled = item.putArray("data");
        numbers.forEach(everyToken ? number -> pooled.addArray().add(number) : pooled::add);
      }
    }
    return Vllm.usage(answer, scored);
  }

  private static List<List<Float>> lastToken(Scored scored) {
    List<List<Float>> all = new ArrayList<>();
    for (Reward reward : scored.rewards()) {
      all.add(List.of(Scored.number(reward)));
    }
    return all;
  }

  private static List<List<Float>> everyToken(Scored scored) {
    List<List<Float>> all = new ArrayList<>();
    for (RewardTrace trace : scored.traces()) {
      all.add(trace.steps().stream().map(step -> (float) step.reward()).toList());
    }
    return all;
  }

  private static String base64(List<Float> numbers, ByteOrder order) {
    ByteBuffer bytes = ByteBuffer.allocate(Float.BYTES * numbers.size()).order(order);
    numbers.forEach(bytes::putFloat);
    return Base64.getEncoder().encodeToString(bytes.array());
  }
}
