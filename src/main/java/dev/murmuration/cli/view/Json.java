package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.reward.Ranking;
import dev.murmuration.reward.Reward;
import java.io.IOException;
import java.util.Set;

/**
 * The JSON that commands print. Streaming, because binding objects would double the time that a
 * command takes to start.
 */
public final class Json {
  /** Reads strictly: the same name twice in an object is an error and not a guess. */
  public static final JsonFactory FACTORY =
      JsonFactory.builder()
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .disable(StreamReadFeature.AUTO_CLOSE_SOURCE)
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .build();

  /** The names that {@link #writeReward} writes. */
  public static final Set<String> REWARD_FIELDS =
      Set.of(
          "reward",
          "tokens",
          "truncated_tokens",
          "readout",
          "readout_index",
          "readout_token_id",
          "template",
          "precision",
          "model",
          "build");

  /** Something that writes fields of an object. */
  @FunctionalInterface
  public interface Fields {
    void write(JsonGenerator json) throws IOException;
  }

  private Json() {}

  /** Prints an object on a line of its own. */
  public static void printObject(Terminal terminal, Fields fields) throws IOException {
    try (JsonGenerator json = FACTORY.createGenerator(terminal.out())) {
      json.disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
      json.writeStartObject();
      fields.write(json);
      json.writeEndObject();
    }
    terminal.out().print('\n');
  }

  /** A reward with all that explains it. */
  public static void writeReward(JsonGenerator json, Reward reward) throws IOException {
    writeReadout(json, reward);
    writeProvenance(json, reward);
  }

  /** The number and where it was read. */
  public static void writeReadout(JsonGenerator json, Reward reward) throws IOException {
    // A float has all the digits that hidden states in float32 can account for.
    json.writeNumberField("reward", (float) reward.reward());
    json.writeNumberField("tokens", reward.tokens());
    json.writeNumberField("truncated_tokens", reward.truncatedTokens());
    json.writeStringField("readout", reward.readout().label());
    json.writeNumberField("readout_index", reward.readoutIndex());
    json.writeNumberField("readout_token_id", reward.readoutTokenId());
  }

  /** How and by what it was computed: the same for all rewards of a command. */
  public static void writeProvenance(JsonGenerator json, Reward reward) throws IOException {
    json.writeStringField("template", reward.template());
    json.writeStringField("precision", reward.precision().label());
    json.writeStringField("model", reward.model());
    json.writeStringField("build", reward.build());
  }

  /** Responses, best first, as fields of an object. */
  public static void writeRanking(JsonGenerator json, Ranking ranking) throws IOException {
    json.writeArrayFieldStart("entries");
    for (Ranking.Entry entry : ranking.entries()) {
      json.writeStartObject();
      json.writeNumberField("rank", entry.rank());
      json.writeNumberField("index", entry.index());
      writeReadout(json, entry.reward());
      json.writeNumberField("probability_of_best", entry.probabilityOfBest());
      json.writeStringField("response", entry.response());
      json.writeEndObject();
    }
    json.writeEndArray();
    Reward best = ranking.best().reward();
    if (ranking.entries().size() == 2) {
      double second = ranking.entries().getLast().reward().reward();
      json.writeNumberField(
          "preference_probability", Ranking.preferenceProbability(best.reward(), second));
    }
    writeProvenance(json, best);
  }
}
