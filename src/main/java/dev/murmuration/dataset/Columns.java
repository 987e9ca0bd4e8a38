package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The columns of one row, read with complaints that name them. */
record Columns(JsonNode row) {
  private static final int QUOTED = 60;

  boolean has(String name) {
    return row.hasNonNull(name);
  }

  /** Whether all of these are there. */
  boolean has(String first, String... others) {
    boolean all = has(first);
    for (String name : others) {
      all &= has(name);
    }
    return all;
  }

  String text(String name) {
    JsonNode value = required(name);
    if (!value.isTextual()) {
      throw wrong(name, value, "a string");
    }
    return value.textValue();
  }

  /** A string, or an empty one where there is none. */
  String optionalText(String name) {
    return has(name) ? text(name) : "";
  }

  /** A number, also one in a string. */
  double number(String name) {
    JsonNode value = required(name);
    if (value.isNumber()) {
      return value.doubleValue();
    }
    try {
      return Double.parseDouble(value.asText());
    } catch (NumberFormatException e) {
      throw wrong(name, value, "a number");
    }
  }

  List<String> texts(String name) {
    List<String> texts = new ArrayList<>();
    for (JsonNode item : array(name)) {
      if (!item.isTextual()) {
        throw wrong(name, item, "an array of strings");
      }
      texts.add(item.textValue());
    }
    return texts;
  }

  List<Columns> objects(String name) {
    List<Columns> objects = new ArrayList<>();
    for (JsonNode item : array(name)) {
      if (!item.isObject()) {
        throw wrong(name, item, "an array of objects");
      }
      objects.add(new Columns(item));
    }
    return objects;
  }

  /** Messages with a role and a content each. */
  List<Message> messages(String name) {
    List<Message> messages = new ArrayList<>();
    for (Columns message : objects(name)) {
      messages.add(new Message(Message.Role.of(message.text("role")), message.text("content")));
    }
    return messages;
  }

  /** What comes before a response: messages, or a string that the user says. */
  List<Message> prompt(String name) {
    return required(name).isArray() ? messages(name) : List.of(Message.user(text(name)));
  }

  /** The row's own id under the first of these names; an empty text if there is none. */
  String id(String... names) {
    for (String name : names) {
      JsonNode value = row.path(name);
      if (value.isTextual() || value.isIntegralNumber()) {
        return value.asText();
      }
    }
    return "";
  }

  /** The columns among these that hold a text, as groups; of an array the first one. */
  Map<String, String> groups(String... names) {
    Map<String, String> groups = new TreeMap<>();
    for (String name : names) {
      JsonNode value = row.path(name);
      JsonNode first = value.isArray() ? value.path(0) : value;
      if (first.isTextual()) {
        groups.put(name, first.textValue());
      }
    }
    return groups;
  }

  static Conversation conversation(List<Message> before, String response) {
    List<Message> messages = new ArrayList<>(before);
    messages.add(Message.assistant(response));
    return new Conversation(messages);
  }

  /** An array, also one that is written as a text, as in a cell of CSV. */
  private JsonNode array(String name) {
    JsonNode value = required(name);
    if (value.isArray()) {
      return value;
    }
    if (value.isTextual() && value.textValue().startsWith("[")) {
      try {
        return RowParser.parseArray(value.textValue());
      } catch (IllegalArgumentException e) {
        throw new IllegalArgumentException(
            "the column \"" + name + "\" begins like an array, but " + e.getMessage(), e);
      }
    }
    throw wrong(name, value, "an array");
  }

  private JsonNode required(String name) {
    JsonNode value = row.path(name);
    if (value.isMissingNode() || value.isNull()) {
      throw new IllegalArgumentException("the column \"" + name + "\" is missing");
    }
    return value;
  }

  IllegalArgumentException wrong(String name, JsonNode value, String expected) {
    String text = value.toString();
    String shown = text.length() > QUOTED ? text.substring(0, QUOTED) + "…" : text;
    return new IllegalArgumentException(
        "the column \"" + name + "\" holds " + shown + ", expected " + expected);
  }
}
