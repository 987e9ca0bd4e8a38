package dev.murmuration.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.murmuration.files.BadFileException;
import dev.murmuration.json.JsonFile;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * Scores that another program has given to RewardBench's pairs: a result file of RewardBench,
 * {@code eval-set-scores/*.json}, one object whose columns are lists (reward-bench's {@code
 * scripts/run_rm.py} writes it).
 *
 * @param model that gave them, or an empty text
 * @param pairs by {@link #key}
 */
public record ReferenceScores(String model, Map<String, Pair> pairs) {
  /** What a pair's responses got. */
  public record Pair(double chosen, double rejected) {}

  private static final int MAX_PAIRS = 10_000_000;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(RowSource.MAX_ROW)
                  .maxNestingDepth(64)
                  .build())
          .build();

  /** Takes an unmodifiable copy. */
  public ReferenceScores {
    pairs = Map.copyOf(pairs);
  }

  /** The scores of a row, found by its id and its subset. */
  public Optional<Pair> of(String id, Map<String, String> groups) {
    return Optional.ofNullable(pairs.get(key(groups.getOrDefault("subset", ""), id)));
  }

  private static String key(String subset, String id) {
    return subset + '\n' + id;
  }

  /**
   * Reads a file.
   *
   * @throws BadFileException if it is none of RewardBench's
   * @throws IOException if it cannot be read
   */
  public static ReferenceScores read(Path file) throws IOException {
    try (InputStream in = new BufferedInputStream(Files.newInputStream(file));
        JsonParser json = FACTORY.createParser(Decompression.of(in, file.toString()))) {
      Map<String, List<String>> columns = new HashMap<>();
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new BadFileException(file, "is no result file of RewardBench: it holds no object");
      }
      String model = "";
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "model" -> model = json.getValueAsString("");
          case "id", "subset", "scores_chosen", "scores_rejected" ->
              columns.put(name, column(json, file, name));
          default -> json.skipChildren();
        }
      }
      return new ReferenceScores(model, pairs(columns, file));
    } catch (JsonProcessingException e) {
      throw new BadFileException(file, "is not valid JSON: " + JsonFile.problem(e));
    }
  }

  /** A list of numbers or texts; a number may stand in a list of its own. */
  private static List<String> column(JsonParser json, Path file, String name) throws IOException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new BadFileException(file, "has a column \"" + name + "\" that is no list");
    }
    List<String> values = new ArrayList<>();
    int depth = 1;
    while (depth > 0) {
      switch (json.nextToken()) {
        case START_ARRAY -> depth++;
        case END_ARRAY -> depth--;
        case VALUE_STRING, VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> values.add(json.getText());
        case VALUE_NULL -> values.add("");
        case null, default ->
            throw new BadFileException(
                file, "has something in \"" + name + "\" that is neither number nor text");
      }
      if (values.size() > MAX_PAIRS) {
        throw new BadFileException(file, "has more than " + MAX_PAIRS + " pairs");
      }
    }
    return values;
  }

  private static Map<String, Pair> pairs(Map<String, List<String>> columns, Path file)
      throws BadFileException {
    List<String> ids = columns.getOrDefault("id", List.of());
    List<String> chosen = columns.getOrDefault("scores_chosen", List.of());
    List<String> rejected = columns.getOrDefault("scores_rejected", List.of());
    List<String> subsets = columns.getOrDefault("subset", List.of());
    if (ids.isEmpty()
        || chosen.size() != ids.size()
        || rejected.size() != ids.size()
        || subsets.size() != ids.size()) {
      throw new BadFileException(
          file,
          String.format(
              "is no result file of RewardBench: it has %d values in \"id\", %d in \"subset\","
                  + " %d in \"scores_chosen\" and %d in \"scores_rejected\", expected equally many",
              ids.size(), subsets.size(), chosen.size(), rejected.size()));
    }
    Map<String, Pair> pairs = new HashMap<>();
    Set<String> twice = new HashSet<>();
    for (int i = 0; i < ids.size(); i++) {
      String key = key(subsets.get(i), ids.get(i));
      if (chosen.get(i).isEmpty() || rejected.get(i).isEmpty()) {
        continue; // It has not judged this pair.
      }
      Pair pair = new Pair(number(chosen.get(i), file), number(rejected.get(i), file));
      if (pairs.put(key, pair) != null) {
        twice.add(key);
      }
    }
    // Nobody knows which of them is meant.
    pairs.keySet().removeAll(twice);
    return pairs;
  }

  private static double number(String text, Path file) throws BadFileException {
    try {
      return Double.parseDouble(text);
    } catch (NumberFormatException e) {
      throw new BadFileException(file, "has a score that is no number: " + text);
    }
  }
}
