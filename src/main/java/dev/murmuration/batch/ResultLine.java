package dev.murmuration.batch;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.dataset.Row;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.Reward;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.List;

/** The lines that are written: a row as it was, and ours in one more field. */
public final class ResultLine {
  private static final JsonFactory FACTORY = new JsonFactory();

  private ResultLine() {}

  /** Writes fields of an object. */
  @FunctionalInterface
  private interface Fields {
    void writeTo(JsonGenerator json) throws IOException;
  }

  /** The row's text with its rewards under {@code field}. */
  static String of(Row row, List<Reward> rewards, String field) {
    String text = row.json().strip();
    String before = text.substring(0, text.length() - 1).stripTrailing();
    String name = object(json -> json.writeStringField(field, ""));
    String key = name.substring(1, name.lastIndexOf(":"));
    String ours = object(json -> write(json, row.number(), rewards));
    return before + (before.endsWith("{") ? "" : ",") + key + ":" + ours + "}";
  }

  /** What is said of a row that has no rewards. */
  static String ofFailure(Row row, String problem) {
    return object(
        json -> {
          json.writeNumberField("row", row.number());
          json.writeStringField("place", row.place());
          json.writeStringField("error", problem);
        });
  }

  private static void write(JsonGenerator json, long number, List<Reward> rewards)
      throws IOException {
    json.writeNumberField("row", number);
    if (rewards.size() == 1) {
      Reward reward = rewards.getFirst();
      // A float has all the digits that hidden states in float32 can account for.
      json.writeNumberField("reward", (float) reward.reward());
      json.writeNumberField("tokens", reward.tokens());
      json.writeNumberField("truncated_tokens", reward.truncatedTokens());
      return;
    }
    writeSeveral(json, rewards);
  }

  /** Writes the rewards of a row with several responses as fields of an object. */
  public static void writeSeveral(JsonGenerator json, List<Reward> rewards) throws IOException {
    double[] values = rewards.stream().mapToDouble(Reward::reward).toArray();
    array(json, "rewards", rewards.size(), i -> json.writeNumber((float) values[i]));
    int[] ranks = ranks(values);
    array(json, "ranks", rewards.size(), i -> json.writeNumber(ranks[i]));
    double[] probabilities = Ranking.probabilitiesOfBest(values);
    array(json, "probabilities", rewards.size(), i -> json.writeNumber((float) probabilities[i]));
    array(json, "tokens", rewards.size(), i -> json.writeNumber(rewards.get(i).tokens()));
    array(
        json,
        "truncated_tokens",
        rewards.size(),
        i -> json.writeNumber(rewards.get(i).truncatedTokens()));
  }

  /** From 1, the best; equal rewards have the same rank. */
  private static int[] ranks(double[] values) {
    int[] ranks = new int[values.length];
    for (int i = 0; i < values.length; i++) {
      ranks[i] = 1;
      for (double value : values) {
        ranks[i] += value > values[i] ? 1 : 0;
      }
    }
    return ranks;
  }

  /** Writes one element of an array. */
  @FunctionalInterface
  private interface Element {
    void write(int index) throws IOException;
  }

  private static void array(JsonGenerator json, String name, int size, Element element)
      throws IOException {
    json.writeArrayFieldStart(name);
    for (int i = 0; i < size; i++) {
      element.write(i);
    }
    json.writeEndArray();
  }

  private static String object(Fields fields) {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(text)) {
      json.writeStartObject();
      fields.writeTo(json);
      json.writeEndObject();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // A string can't fail to be written.
    }
    return text.toString();
  }
}
