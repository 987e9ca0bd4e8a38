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

/**
 * The lines that are written: a row as it was, and ours in one more field. For one thread, which
 * uses the same buffers for all its lines.
 */
public final class ResultLine {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final StringWriter text = new StringWriter();
  private final JsonGenerator json;

  /** The field's name in JSON, with its colon. */
  private final String key;

  /**
   * Begins to write.
   *
   * @param field under which rewards are put into a row
   */
  ResultLine(String field) {
    try {
      json = FACTORY.createGenerator(text).setRootValueSeparator(null);
    } catch (IOException e) {
      throw new UncheckedIOException(e); // A string can't fail to be written.
    }
    String name = object(() -> json.writeStringField(field, ""));
    key = name.substring(1, name.lastIndexOf(":") + 1);
  }

  /** Writes fields of an object. */
  @FunctionalInterface
  private interface Fields {
    void write() throws IOException;
  }

  /** The row's text with its rewards under the field. */
  String of(Row row, List<Reward> rewards) {
    String own = row.json().strip();
    String before = own.substring(0, own.length() - 1).stripTrailing();
    String ours = object(() -> write(json, row.number(), rewards));
    return before + (before.endsWith("{") ? "" : ",") + key + ours + "}";
  }

  /** What is said of a row that has no rewards. */
  String ofFailure(Row row, String problem) {
    return object(
        () -> {
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

  private String object(Fields fields) {
    text.getBuffer().setLength(0);
    try {
      json.writeStartObject();
      fields.write();
      json.writeEndObject();
      json.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e); // A string can't fail to be written.
    }
    return text.toString();
  }
}
