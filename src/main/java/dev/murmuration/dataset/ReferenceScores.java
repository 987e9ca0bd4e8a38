package dev.murmuration.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
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
 * Scores that another program has given to the responses of RewardBench or RewardBench 2: their
 * result files, {@code eval-set-scores/*.json}, one object whose columns are lists (reward-bench's
 * {@code scripts/run_rm.py} and {@code scripts/run_v2.py} write them with {@code save_to_hub}).
 *
 * @param model that gave them, or an empty text
 * @param rows by {@link #key}: the scores of a row's responses, the chosen ones first
 */
public record ReferenceScores(String model, Map<String, List<Double>> rows) {
  private static final int MAX_ROWS = 10_000_000;
  private static final String CHOSEN = "scores_chosen";
  private static final String REJECTED = "scores_rejected";

  /** Of RewardBench 2: the scores of all responses to a prompt. */
  private static final String ALL = "scores";

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(RowSource.MAX_ROW)
                  .maxNestingDepth(64)
                  .build())
          // Python writes NaN where a model has failed.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  /** Takes an unmodifiable copy. */
  public ReferenceScores {
    rows = Map.copyOf(rows);
  }

  /** The scores of a row's responses, found by its id and its subset. */
  public Optional<List<Double>> of(String id, Map<String, String> groups) {
    return Optional.ofNullable(rows.get(key(groups.getOrDefault("subset", ""), id)));
  }

  private static String key(String subset, String id) {
    return subset + '\n' + id;
  }

  /** The columns that are read, as far as the file has them. */
  private static final class Columns {
    private final Map<String, List<String>> texts = new HashMap<>();
    private final Map<String, List<List<Double>>> scores = new HashMap<>();

    List<String> texts(String name) {
      return texts.getOrDefault(name, List.of());
    }

    List<List<Double>> scores(String name) {
      return scores.getOrDefault(name, List.of());
    }
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
      Columns columns = new Columns();
      if (json.nextToken() != JsonToken.START_OBJECT) {
        throw new BadFileException(file, "is no result file of RewardBench: it holds no object");
      }
      String model = "";
      while (json.nextToken() == JsonToken.FIELD_NAME) {
        String name = json.currentName();
        json.nextToken();
        switch (name) {
          case "model" -> model = json.getValueAsString("");
          case "id", "subset" -> columns.texts.put(name, texts(json, file, name));
          case CHOSEN, REJECTED, ALL -> columns.scores.put(name, scores(json, file, name));
          default -> json.skipChildren();
        }
      }
      return new ReferenceScores(model, rows(columns, file));
    } catch (JsonProcessingException e) {
      throw new BadFileException(file, "is not valid JSON: " + JsonFile.problem(e));
    }
  }

  private static List<String> texts(JsonParser json, Path file, String name) throws IOException {
    List<String> values = new ArrayList<>();
    begin(json, file, name);
    while (json.nextToken() != JsonToken.END_ARRAY) {
      if (!json.currentToken().isScalarValue()) {
        throw unexpected(file, name);
      }
      values.add(json.getText());
      checkCount(values.size(), file);
    }
    return values;
  }

  private static void begin(JsonParser json, Path file, String name) throws BadFileException {
    if (json.currentToken() != JsonToken.START_ARRAY) {
      throw new BadFileException(file, "has a column \"" + name + "\" that is no list");
    }
  }

  private static BadFileException unexpected(Path file, String name) {
    return new BadFileException(
        file, "has something in \"" + name + "\" that is neither number nor text");
  }

  private static void checkCount(int count, Path file) throws BadFileException {
    if (count > MAX_ROWS) {
      throw new BadFileException(file, "has more than " + MAX_ROWS + " rows");
    }
  }

  /**
   * For each row its scores: a number, or a list, in which each may stand in a list of its own,
   * since models give tensors of shape [batch, 1]; NaN for null, of a pair that was not judged.
   */
  private static List<List<Double>> scores(JsonParser json, Path file, String name)
      throws IOException {
    List<List<Double>> rows = new ArrayList<>();
    begin(json, file, name);
    List<Double> row = new ArrayList<>();
    for (int depth = 1; depth > 0; ) {
      JsonToken token = json.nextToken();
      switch (token) {
        case START_ARRAY -> depth++;
        case END_ARRAY -> depth--;
        case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> row.add(json.getDoubleValue());
        case VALUE_NULL -> row.add(Double.NaN);
        case null, default -> throw unexpected(file, name);
      }
      if (depth == 1) {
        rows.add(List.copyOf(row));
        row.clear();
        checkCount(rows.size(), file);
      }
    }
    return rows;
  }

  private static Map<String, List<Double>> rows(Columns columns, Path file)
      throws BadFileException {
    List<String> ids = columns.texts("id");
    List<String> subsets = columns.texts("subset");
    List<List<Double>> scores =
        columns.scores.containsKey(ALL)
            ? columns.scores(ALL)
            : pairs(columns.scores(CHOSEN), columns.scores(REJECTED));
    if (ids.isEmpty() || scores.size() != ids.size() || subsets.size() != ids.size()) {
      throw new BadFileException(
          file,
          String.format(
              "is no result file of RewardBench: it has %d values in \"id\", %d in \"subset\","
                  + " %d in \"scores_chosen\", %d in \"scores_rejected\" and %d in \"scores\","
                  + " expected equally many",
              ids.size(),
              subsets.size(),
              columns.scores(CHOSEN).size(),
              columns.scores(REJECTED).size(),
              columns.scores(ALL).size()));
    }
    Map<String, List<Double>> rows = new HashMap<>();
    Set<String> twice = new HashSet<>();
    for (int i = 0; i < ids.size(); i++) {
      String key = key(subsets.get(i), ids.get(i));
      if (scores.get(i).stream().allMatch(Double::isFinite)
          && rows.put(key, scores.get(i)) != null) {
        twice.add(key);
      }
    }
    // Nobody knows which of them is meant.
    rows.keySet().removeAll(twice);
    return rows;
  }

  /** Pairs of the scores of two columns; none where the columns have different lengths. */
  private static List<List<Double>> pairs(List<List<Double>> chosen, List<List<Double>> rejected) {
    List<List<Double>> pairs = new ArrayList<>();
    for (int i = 0; chosen.size() == rejected.size() && i < chosen.size(); i++) {
      List<Double> both = new ArrayList<>(chosen.get(i));
      both.addAll(rejected.get(i));
      pairs.add(both);
    }
    return pairs;
  }
}
