package dev.murmuration.server.protocol;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.reward.Message;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.StreamSupport;

/**
 * The fields of an object in a request, by their types. A field that is null counts as missing, as
 * it does in Python.
 */
final class Fields {
  private final String path;
  private final ObjectNode object;
  private final Set<String> known = new HashSet<>();

  /**
   * @param path of the object in the request, with a dot behind it; empty for the request itself
   */
  Fields(String path, ObjectNode object) {
    this.path = path;
    this.object = object;
  }

  Fields(ObjectNode object) {
    this("", object);
  }

  /** The fields of an element, which must be an object. */
  static Fields of(String path, JsonNode element) {
    if (element instanceof ObjectNode object) {
      return new Fields(path + ".", object);
    }
    throw wrong(path, element, "an object");
  }

  private static RequestFailure wrong(String path, JsonNode value, String wanted) {
    return RequestFailure.field(
        path, path + " is " + RequestJson.kind(value) + "; it has to be " + wanted);
  }

  /** Knows some fields and takes no notice of them. */
  Fields ignore(String... names) {
    known.addAll(List.of(names));
    return this;
  }

  /** The names of the fields that nobody knows. */
  List<String> unknown() {
    List<String> unknown = new ArrayList<>();
    object.fieldNames().forEachRemaining(unknown::add);
    unknown.removeAll(known);
    return unknown;
  }

  /** Refuses fields that nobody knows. */
  void requireNoOther() {
    List<String> unknown = unknown();
    if (!unknown.isEmpty()) {
      String name = path + unknown.getFirst();
      throw RequestFailure.field(
          name,
          "no field '"
              + shown(name)
              + "' is known here; there are "
              + String.join(", ", known.stream().sorted().toList()));
    }
  }

  /** A name that somebody sent, fit for a message. */
  static String shown(String name) {
    String plain = name.replaceAll("[^\\p{Alnum}_.\\-\\[\\]]", "?");
    return plain.length() > 60 ? plain.substring(0, 60) + "…" : plain;
  }

  boolean has(String name) {
    return get(name) != null;
  }

  /** The value of a field, or null if it is missing. */
  JsonNode get(String name) {
    known.add(name);
    JsonNode value = object.get(name);
    return value == null || value.isNull() ? null : value;
  }

  /** The value of a field, which must not be missing. */
  JsonNode require(String name) {
    JsonNode value = get(name);
    if (value == null) {
      throw RequestFailure.field(path + name, "the field " + path + name + " is missing");
    }
    return value;
  }

  /** A string, or null if it is missing. */
  String string(String name) {
    JsonNode value = get(name);
    return value == null ? null : text(path + name, value);
  }

  String requireString(String name) {
    return text(path + name, require(name));
  }

  static String text(String path, JsonNode value) {
    if (!value.isTextual()) {
      throw wrong(path, value, "a string");
    }
    return value.textValue();
  }

  boolean bool(String name, boolean otherwise) {
    JsonNode value = get(name);
    if (value != null && !value.isBoolean()) {
      throw wrong(path + name, value, "true or false");
    }
    return value == null ? otherwise : value.booleanValue();
  }

  /** A whole number within a range, or what there is otherwise. */
  int integer(String name, int least, int most, int otherwise) {
    JsonNode value = get(name);
    if (value == null) {
      return otherwise;
    }
    if (!value.isIntegralNumber()) {
      throw wrong(path + name, value, "a whole number");
    }
    if (!value.canConvertToInt() || value.intValue() < least || value.intValue() > most) {
      throw RequestFailure.field(
          path + name,
          path + name + " is " + value.asText() + "; it takes " + least + " to " + most);
    }
    return value.intValue();
  }

  /** A positive number, or null if it is missing. */
  Double seconds(String name) {
    JsonNode value = get(name);
    if (value == null) {
      return null;
    }
    if (!value.isNumber()) {
      throw wrong(path + name, value, "a number of seconds");
    }
    double seconds = value.doubleValue();
    if (!(seconds >= 0.001 && seconds <= 1e6)) {
      throw RequestFailure.field(
          path + name, path + name + " is " + value.asText() + "; it takes 0.001 to 1000000");
    }
    return seconds;
  }

  /** One of some words, or what there is otherwise. */
  String word(String name, List<String> words, String otherwise) {
    String value = string(name);
    if (value != null && !words.contains(value)) {
      throw RequestFailure.field(
          path + name,
          path + name + " is '" + shown(value) + "'; it takes " + String.join(", ", words));
    }
    return value == null ? otherwise : value;
  }

  /** The elements of an array, which must not be missing. */
  List<JsonNode> requireArray(String name) {
    return array(path + name, require(name));
  }

  static List<JsonNode> array(String path, JsonNode value) {
    if (!value.isArray()) {
      throw wrong(path, value, "an array");
    }
    return StreamSupport.stream(value.spliterator(), false).toList();
  }

  /** The strings of an array, which must not be missing. */
  List<String> requireStrings(String name) {
    return strings(path + name, require(name));
  }

  static List<String> strings(String path, JsonNode value) {
    List<String> strings = new ArrayList<>();
    for (JsonNode element : array(path, value)) {
      strings.add(text(path + "[" + strings.size() + "]", element));
    }
    return strings;
  }

  /** Token ids. */
  static int[] integers(String path, JsonNode value) {
    int[] integers = new int[array(path, value).size()];
    for (int i = 0; i < integers.length; i++) {
      JsonNode element = value.get(i);
      String at = path + "[" + i + "]";
      if (!element.isIntegralNumber()) {
        throw wrong(at, element, "the id of a token, a whole number");
      }
      if (!element.canConvertToInt()) {
        throw RequestFailure.field(
            at, at + " is " + element.asText() + "; no vocabulary has as many tokens");
      }
      integers[i] = element.intValue();
    }
    return integers;
  }

  /** The messages of a conversation: roles, and contents that are texts or parts that are texts. */
  static List<Message> messages(String path, JsonNode value) {
    List<Message> messages = new ArrayList<>();
    for (JsonNode element : array(path, value)) {
      String at = path + "[" + messages.size() + "]";
      Fields message = of(at, element);
      messages.add(
          new Message(
              role(at + ".role", message.requireString("role")),
              content(at + ".content", message.require("content"))));
    }
    return messages;
  }

  private static Message.Role role(String path, String label) {
    try {
      // OpenAI's newer name for the same.
      return Message.Role.of(label.equals("developer") ? "system" : label);
    } catch (IllegalArgumentException e) {
      throw RequestFailure.field(
          path, path + " is '" + shown(label) + "'; it takes system, user or assistant");
    }
  }

  /** A text, or parts of one, as OpenAI's clients send them. */
  static String content(String path, JsonNode value) {
    if (!value.isArray()) {
      return text(path, value);
    }
    StringBuilder text = new StringBuilder();
    int i = 0;
    for (JsonNode part : value) {
      String at = path + "[" + i++ + "]";
      Fields fields = of(at, part);
      String type = fields.requireString("type");
      if (!type.equals("text") && !type.equals("input_text") && !type.equals("output_text")) {
        throw RequestFailure.field(
            at, at + " has the type '" + shown(type) + "'; only texts can be scored");
      }
      text.append(fields.requireString("text"));
    }
    return text.toString();
  }
}
