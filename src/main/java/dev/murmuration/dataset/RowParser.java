package dev.murmuration.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.murmuration.json.JsonFile;

/** Reads the JSON of one row, strictly. Any thread may use it. */
public final class RowParser {
  private static final int MAX_DEPTH = 200;

  private static final ObjectReader READER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(MAX_DEPTH)
                          .maxStringLength(RowSource.MAX_ROW)
                          .build())
                  .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build()
          .reader();

  private RowParser() {}

  /**
   * The object that a row holds.
   *
   * @throws IllegalArgumentException if it holds none; the message says what is wrong
   */
  public static JsonNode parse(Row row) {
    if (row.problem() != null) {
      throw new IllegalArgumentException(row.problem());
    }
    JsonNode node = read(row.json(), "the row");
    if (node.isArray()) {
      throw new IllegalArgumentException(
          "the row is an array; give one object a line, or one array of objects as a file .json");
    }
    if (!node.isObject()) {
      throw new IllegalArgumentException(
          "the row is not a JSON object, such as {\"prompt\": \"…\", \"response\": \"…\"}");
    }
    return node;
  }

  /**
   * The array that a text holds.
   *
   * @throws IllegalArgumentException if it holds none
   */
  static JsonNode parseArray(String text) {
    JsonNode node = read(text, "it");
    if (!node.isArray()) {
      throw new IllegalArgumentException("it is none");
    }
    return node;
  }

  private static JsonNode read(String text, String subject) {
    try {
      return READER.readTree(text);
    } catch (JsonProcessingException e) {
      String at = e.getLocation() == null ? "" : " (column " + e.getLocation().getColumnNr() + ")";
      throw new IllegalArgumentException(
          subject + " is not valid JSON: " + JsonFile.problem(e) + at, e);
    }
  }
}
