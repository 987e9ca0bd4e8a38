package dev.murmuration.server;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.server.protocol.RequestFailure;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The models of a server, by their names. The first one answers who names none. */
final class ModelList {
  private final Map<String, ServedModel> models = new LinkedHashMap<>();
  private final long created = System.currentTimeMillis() / 1000;

  ModelList(List<ServedModel> all) {
    for (ServedModel model : all) {
      if (models.putIfAbsent(model.name(), model) != null) {
        throw new IllegalArgumentException("two models are called " + model.name());
      }
    }
  }

  List<ServedModel> all() {
    return List.copyOf(models.values());
  }

  /**
   * The model of a name.
   *
   * @param name null for the first one
   * @throws RequestFailure if there is none
   */
  ServedModel get(String name) {
    ServedModel model = name == null ? all().getFirst() : models.get(name);
    if (model == null) {
      throw RequestFailure.of(
          404,
          "no model has the name that the request gives; there are "
              + String.join(", ", models.keySet())
              + ": name one of them, or leave model out");
    }
    return model;
  }

  /** What {@code /v1/models} says. */
  ObjectNode describe() {
    ObjectNode answer = JsonNodeFactory.instance.objectNode().put("object", "list");
    ArrayNode data = answer.putArray("data");
    for (ServedModel served : models.values()) {
      RewardModel model = served.model();
      data.addObject()
          .put("id", served.name())
          .put("object", "model")
          .put("created", created)
          .put("owned_by", "murmuration")
          .put("context_length", model.contextLength())
          .put("max_model_len", model.contextLength())
          .put("template", model.template().name())
          .put("readout", model.readout().label())
          .put("precision", model.precision().label())
          .put("literal", model.literal())
          .put("threads", model.threads());
    }
    return answer;
  }
}
