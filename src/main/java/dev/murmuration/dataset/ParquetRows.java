package dev.murmuration.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.io.StringWriter;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Properties;
import java.util.stream.Collectors;

/**
 * Parquet, read by DuckDB, which streams it in bounded memory. (Readers in Java alone keep whole
 * row groups: of 20,000 rows of 50 KB they need more than a gigabyte.)
 */
final class ParquetRows implements RowSource {
  private static final JsonFactory FACTORY = new JsonFactory();

  private final Connection database;

  /** By name: whether it holds texts. */
  private final Map<String, Boolean> columns;

  private final PreparedStatement statement;
  private final ResultSet rows;
  private final String title;
  private final long before;
  private final long total;
  private long number;

  ParquetRows(Path file, long before) throws IOException {
    OptionalLibrary.require("org.duckdb.DuckDBDriver");
    this.title = file.toString();
    this.before = before;
    try {
      database = connect();
      total = total(file); // First: a connection has one result that is read piece by piece.
      columns = columns(file);
      statement = database.prepareStatement(select());
      statement.setString(1, file.toString());
      rows = statement.executeQuery();
    } catch (SQLException e) {
      throw problem(e);
    }
  }

  private long total(Path file) throws SQLException {
    try (PreparedStatement count =
        database.prepareStatement("SELECT count(*) FROM read_parquet(?)")) {
      count.setString(1, file.toString());
      try (ResultSet result = count.executeQuery()) {
        return result.next() ? result.getLong(1) : 0;
      }
    }
  }

  private Map<String, Boolean> columns(Path file) throws SQLException {
    Map<String, Boolean> found = new LinkedHashMap<>();
    try (PreparedStatement none =
        database.prepareStatement("SELECT * FROM read_parquet(?) LIMIT 0")) {
      none.setString(1, file.toString());
      try (ResultSet result = none.executeQuery()) {
        ResultSetMetaData described = result.getMetaData();
        for (int i = 1; i <= described.getColumnCount(); i++) {
          found.put(described.getColumnName(i), described.getColumnTypeName(i).equals("VARCHAR"));
        }
      }
    }
    return found;
  }

  /** Texts as they are: JSON made of them inside DuckDB would take their memory several times. */
  private String select() {
    return columns.entrySet().stream()
        .map(
            column -> {
              String name = '"' + column.getKey().replace("\"", "\"\"") + '"';
              return column.getValue() ? name : "to_json(" + name + ")";
            })
        .collect(Collectors.joining(", ", "SELECT ", " FROM read_parquet(?)"));
  }

  private String json() throws SQLException, IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator json = FACTORY.createGenerator(text)) {
      json.writeStartObject();
      int index = 0;
      for (Map.Entry<String, Boolean> column : columns.entrySet()) {
        String value = rows.getString(++index);
        json.writeFieldName(column.getKey());
        if (value == null) {
          json.writeNull();
        } else if (column.getValue()) {
          json.writeString(value);
        } else {
          json.writeRawValue(value);
        }
      }
      json.writeEndObject();
    }
    return text.toString();
  }

  private static Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("jdbc_stream_results", "true");
    properties.setProperty("memory_limit", "900MB");
    properties.setProperty("threads", "1");
    properties.setProperty("preserve_insertion_order", "true");
    // Nothing is fetched from anywhere.
    properties.setProperty("autoinstall_known_extensions", "false");
    return DriverManager.getConnection("jdbc:duckdb:", properties);
  }

  @Override
  public Row next() throws IOException {
    try {
      if (!rows.next()) {
        return null;
      }
      number++;
      String json = json();
      String place = title + ", row " + number;
      return json.length() > MAX_ROW
          ? Row.bad(before + number, "the row is longer than " + MAX_ROW + " characters", place)
          : Row.of(before + number, json, place);
    } catch (SQLException e) {
      throw problem(e);
    }
  }

  private IOException problem(SQLException e) {
    String said = String.valueOf(e.getMessage()).lines().findFirst().orElse("");
    return new IOException(
        title
            + " cannot be read as Parquet: "
            + (said.contains("Invalid result set")
                ? "it is damaged, or 2048 of its rows take more than 900 MB; get it again, or"
                    + " convert it to JSON lines"
                : said),
        e);
  }

  @Override
  public double share() {
    return (double) number / Math.max(1, total);
  }

  @Override
  public void close() throws IOException {
    try (Connection _ = database;
        PreparedStatement _ = statement;
        ResultSet _ = rows) {
      number = 0;
    } catch (SQLException e) {
      throw problem(e);
    }
  }
}
