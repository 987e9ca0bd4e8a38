package dev.murmuration.batch;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import de.siegmar.fastcsv.writer.CsvWriter;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Objects as comma-separated values (RFC 4180): a column for each field, and for each field of an
 * object in it ({@code murmur.reward}); arrays and deeper objects as JSON.
 */
final class CsvLines {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Set<String> columns;

  private CsvLines(Set<String> columns) {
    this.columns = columns;
  }

  /** Finds the columns; reads all lines. */
  static CsvLines of(Path lines) throws IOException {
    Set<String> columns = new LinkedHashSet<>();
    try (BufferedReader reader = Files.newBufferedReader(lines)) {
      for (String line; (line = reader.readLine()) != null; ) {
        for (Map.Entry<String, JsonNode> field : JSON.readTree(line).properties()) {
          if (field.getValue().isObject()) {
            field
                .getValue()
                .fieldNames()
                .forEachRemaining(name -> columns.add(field.getKey() + "." + name));
          } else {
            columns.add(field.getKey());
          }
        }
      }
    }
    return new CsvLines(columns);
  }

  void write(BufferedReader lines, Writer out) throws IOException {
    // The writer below is closed by whoever opened it.
    CsvWriter csv = CsvWriter.builder().build(out);
    csv.writeRecord(columns);
    for (String line; (line = lines.readLine()) != null; ) {
      JsonNode row = JSON.readTree(line);
      List<String> fields = new ArrayList<>();
      for (String column : columns) {
        fields.add(text(value(row, column)));
      }
      csv.writeRecord(fields);
    }
    csv.flush();
  }

  private static JsonNode value(JsonNode row, String column) {
    JsonNode own = row.path(column);
    int dot = column.indexOf('.');
    return own.isMissingNode() && dot > 0
        ? row.path(column.substring(0, dot)).path(column.substring(dot + 1))
        : own;
  }

  private static String text(JsonNode value) {
    if (value.isMissingNode() || value.isNull()) {
      return "";
    }
    return value.isTextual() ? value.textValue() : value.toString();
  }
}
