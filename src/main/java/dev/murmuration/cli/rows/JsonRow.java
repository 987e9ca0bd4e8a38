package dev.murmuration.cli.rows;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import dev.murmuration.cli.view.Json;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.json.JsonFile;
import dev.murmuration.reward.Conversation;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A row of JSON lines: what is to be scored, and the fields that are only passed through. For one
 * thread.
 */
final class JsonRow {
  private String prompt;
  private String response;
  private String text;
  private List<Message> messages;
  private final Map<String, String> others = new LinkedHashMap<>();

  /** The fields that are not ours, by name, each value as the JSON that stood in the row. */
  Map<String, String> others() {
    return others;
  }

  /**
   * Reads a row. What was read before a failure stays, so that a bad row still has its id.
   *
   * @throws IllegalArgumentException if it is not a JSON object, or a field has the wrong type
   */
  void read(String line) {
    try (JsonParser json = Json.FACTORY.createParser(line)) {
      JsonToken first = json.nextToken();
      if (first == JsonToken.START_ARRAY) {
        throw new IllegalArgumentException(
            "the line is not a JSON object but the beginning of an array; give one object a line"
                + " (jq -c '.[]' FILE makes them of an array)");
      }
      if (first != JsonToken.START_OBJECT) {
        throw new IllegalArgumentException(
            "the line is not a JSON object, such as {\"prompt\": \"...\", \"response\": \"...\"}");
      }
      while (json.nextToken() != JsonToken.END_OBJECT) {
        field(json, line);
      }
      if (json.nextToken() != null) {
        throw new IllegalArgumentException("something follows the JSON object; a line holds one");
      }
    } catch (JsonProcessingException e) {
      String at = e.getLocation() == null ? "" : " (column " + e.getLocation().getColumnNr() + ")";
      throw new IllegalArgumentException(
          "the line is not valid JSON: " + Wording.oneLine(JsonFile.problem(e)) + at, e);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // A string can't fail to be read.
    }
  }

  private void field(JsonParser json, String line) throws IOException {
    String name = json.currentName();
    json.nextToken();
    switch (name) {
      case "prompt" -> prompt = string(json, name);
      case "response" -> response = string(json, name);
      case "text" -> text = string(json, name);
      case "messages" -> messages = messages(json);
      default -> {
        requireCharacters(name);
        others.put(name, raw(json, line));
      }
    }
  }

  /** The name is written again, as UTF-8, which has no lone surrogates. */
  private static void requireCharacters(String name) {
    if (!StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
      throw new IllegalArgumentException(
          "the name of a field holds a lone surrogate (\\ud800 to \\udfff), which is no character;"
              + " remove it");
    }
  }

  private static String raw(JsonParser json, String line) throws IOException {
    int from = (int) json.currentTokenLocation().getCharOffset();
    json.skipChildren();
    json.finishToken();
    return line.substring(from, (int) json.currentLocation().getCharOffset());
  }

  private static String string(JsonParser json, String name) throws IOException {
    if (json.currentToken() != JsonToken.VALUE_STRING) {
      throw new IllegalArgumentException("\"" + name + "\" is not a string");
    }
    return json.getText();
  }

  private static List<Message> messages(JsonParser json) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new IllegalArgumentException("\"messages\" is not an array");
    }
    List<Message> messages = new ArrayList<>();
    while (json.nextToken() != JsonToken.END_ARRAY) {
      messages.add(message(json, messages.size() + 1));
    }
    return messages;
  }

  private static Message message(JsonParser json, int number) throws IOException {
    String role = null;
    String content = null;
    if (json.currentToken() == JsonToken.START_OBJECT) {
      while (json.nextToken() != JsonToken.END_OBJECT) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "role" -> role = string(json, name);
          case "content" -> content = string(json, name);
          default -> json.skipChildren();
        }
      }
    }
    if (role == null || content == null) {
      throw new IllegalArgumentException(
          "message " + number + " is not an object with a \"role\" and a \"content\"");
    }
    return new Message(Message.Role.of(role), content);
  }

  /**
   * What is to be scored.
   *
   * @throws IllegalArgumentException if the row holds none, or more than one
   */
  Input input() {
    int kinds =
        (text == null ? 0 : 1)
            + (messages == null ? 0 : 1)
            + (prompt == null && response == null ? 0 : 1);
    if (kinds != 1) {
      throw new IllegalArgumentException(
          "the row holds "
              + (kinds == 0 ? "nothing to score" : "more than one thing to score")
              + "; give \"prompt\" and \"response\", or \"messages\", or \"text\"");
    }
    if (text != null) {
      return Input.text(text);
    }
    if (messages != null) {
      return new Conversation(messages);
    }
    if (prompt == null || response == null) {
      throw new IllegalArgumentException(
          "the row has no \"" + (prompt == null ? "prompt" : "response") + "\"");
    }
    return Input.of(prompt, response);
  }
}
