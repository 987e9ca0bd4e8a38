package dev.murmuration.dataset;

import java.io.IOException;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.Properties;

/**
 * Parquet, read by DuckDB, which streams it in bounded memory and writes each row as JSON. (Readers
 * in Java alone keep whole row groups: of 20,000 rows of 50 KB they need more than a gigabyte.)
 */
final class ParquetRows implements RowSource {
  private final Connection database;
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
      statement = database.prepareStatement("SELECT to_json(t) FROM read_parquet(?) t");
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

  private static Connection connect() throws SQLException {
    Properties properties = new Properties();
    properties.setProperty("jdbc_stream_results", "true");
    properties.setProperty("memory_limit", "600MB");
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
      String json = rows.getString(1);
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
    return new IOException(title + " cannot be read as Parquet: " + said, e);
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
