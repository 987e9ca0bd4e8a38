package dev.murmuration.cli.rows;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.murmuration.cli.view.Json;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The fields of a row, to be written again as they are.
 *
 * @param values by name, each as the JSON that stands in the row
 * @param problem why not all of them are there or can be written, or null
 */
record RowFields(Map<String, String> values, String problem) {
  /** Those of a row, as far as it can be read: so that a bad row still has its id. */
  static RowFields of(String row) {
    Map<String, String> values = new LinkedHashMap<>();
    String problem = null;
    try (JsonParser json = Json.FACTORY.createParser(row)) {
      if (json.nextToken() == JsonToken.START_OBJECT) {
        while (json.nextToken() != JsonToken.END_OBJECT) {
          String name = json.currentName();
          json.nextToken();
          if (StandardCharsets.UTF_8.newEncoder().canEncode(name)) {
            values.put(name, value(json, row));
          } else {
            json.skipChildren();
            problem =
                "the name of a field holds a lone surrogate (\\ud800 to \\udfff), which is no"
                    + " character; remove it";
          }
        }
      }
    } catch (IOException e) {
      problem = "the row is not valid JSON";
    }
    return new RowFields(values, problem);
  }

  private static String value(JsonParser json, String row) throws IOException {
    int from = (int) json.currentTokenLocation().getCharOffset();
    json.skipChildren();
    json.finishToken();
    return row.substring(from, (int) json.currentLocation().getCharOffset());
  }
}
