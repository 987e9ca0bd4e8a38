package dev.murmuration.batch;

import com.github.luben.zstd.ZstdOutputStream;
import dev.murmuration.dataset.OptionalLibrary;
import dev.murmuration.dataset.RowSource;
import dev.murmuration.files.OutputFile;
import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.OutputStream;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.nio.channels.Channels;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Locale;
import java.util.zip.GZIPOutputStream;

/**
 * How results are written, by the name of the output: {@code .jsonl}, {@code .json}, {@code .csv},
 * each also with {@code .gz} or {@code .zst} behind it, or {@code .parquet}.
 *
 * @param kind of the content
 * @param packing of the file
 */
record OutputFormat(Kind kind, Packing packing) {
  private static final int BUFFER = 1 << 16;

  /** What the content is. */
  enum Kind {
    JSON_LINES,
    JSON,
    CSV,
    PARQUET
  }

  /** How it is packed. */
  enum Packing {
    NONE,
    GZIP,
    ZSTD
  }

  /**
   * The format of a file.
   *
   * @throws IllegalArgumentException if its name tells none
   */
  static OutputFormat of(Path output) {
    String name = String.valueOf(output.getFileName()).toLowerCase(Locale.ROOT);
    Packing packing =
        name.endsWith(".gz") ? Packing.GZIP : name.endsWith(".zst") ? Packing.ZSTD : Packing.NONE;
    String bare = packing == Packing.NONE ? name : name.substring(0, name.lastIndexOf('.'));
    Kind kind =
        switch (bare.substring(bare.lastIndexOf('.') + 1)) {
          case "jsonl", "ndjson" -> Kind.JSON_LINES;
          case "json" -> Kind.JSON;
          case "csv" -> Kind.CSV;
          case "parquet" -> Kind.PARQUET;
          default ->
              throw new IllegalArgumentException(
                  "the name "
                      + output
                      + " tells no format; name it .jsonl, .json, .csv (also with .gz or .zst"
                      + " behind it), or .parquet");
        };
    if (kind == Kind.PARQUET && packing != Packing.NONE) {
      throw new IllegalArgumentException(
          output + " packs Parquet, which is packed already; name it .parquet");
    }
    requireLibraries(kind, packing);
    return new OutputFormat(kind, packing);
  }

  /** What is written at the end of the work shall not fail then. */
  private static void requireLibraries(Kind kind, Packing packing) {
    if (kind == Kind.PARQUET) {
      OptionalLibrary.require("org.duckdb.DuckDBDriver");
    } else if (kind == Kind.CSV) {
      OptionalLibrary.require("de.siegmar.fastcsv.writer.CsvWriter");
    }
    if (packing == Packing.ZSTD) {
      OptionalLibrary.require("com.github.luben.zstd.ZstdOutputStream");
    }
  }

  /** A class of its own, so that other formats can be written without the library. */
  private static final class Zstandard {
    static OutputStream packed(OutputStream out) throws IOException {
      return new ZstdOutputStream(out);
    }
  }

  /**
   * Makes an output of lines of JSON, each of them an object. The lines may become the output
   * themselves; the output appears when it is complete, in place of one of the same name.
   */
  void write(Path lines, Path output) throws IOException {
    if (kind == Kind.JSON_LINES && packing == Packing.NONE) {
      Files.move(
          lines, output, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      return;
    }
    try (OutputFile file = OutputFile.begin(output, true, 0)) {
      if (kind == Kind.PARQUET) {
        writeParquet(lines, file.part());
      } else {
        file.write(channel -> writeText(lines, Channels.newOutputStream(channel)));
      }
      file.commit();
    }
  }

  private void writeText(Path lines, OutputStream out) throws IOException {
    CsvLines csv = kind == Kind.CSV ? CsvLines.of(lines) : null;
    // Closing ends what is packed; the channel below stays open.
    OutputStream open =
        new BufferedOutputStream(out, BUFFER) {
          @Override
          public void close() throws IOException {
            flush();
          }
        };
    try (Writer writer =
            new BufferedWriter(
                new OutputStreamWriter(packed(open), StandardCharsets.UTF_8), BUFFER);
        BufferedReader reader = Files.newBufferedReader(lines)) {
      if (csv != null) {
        csv.write(reader, writer);
      } else {
        copy(reader, writer);
      }
    }
  }

  private OutputStream packed(OutputStream out) throws IOException {
    return switch (packing) {
      case NONE -> out;
      case GZIP -> new GZIPOutputStream(out, BUFFER);
      case ZSTD -> Zstandard.packed(out);
    };
  }

  private void copy(BufferedReader reader, Writer writer) throws IOException {
    boolean array = kind == Kind.JSON;
    writer.write(array ? "[" : "");
    String before = "\n";
    for (String line; (line = reader.readLine()) != null; before = ",\n") {
      writer.write(array ? before + line : line + "\n");
    }
    writer.write(array ? "\n]\n" : "");
  }

  private static void writeParquet(Path lines, Path output) throws IOException {
    String sql =
        "COPY (SELECT * FROM read_json("
            + quoted(lines)
            + ", format='newline_delimited', sample_size=-1, maximum_object_size="
            + 2L * RowSource.MAX_ROW
            + ")) TO "
            + quoted(output)
            + " (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048)";
    try (Connection database = DriverManager.getConnection("jdbc:duckdb:");
        Statement statement = database.createStatement()) {
      statement.execute("SET autoinstall_known_extensions=false");
      statement.execute("SET threads=1");
      statement.execute("SET memory_limit='600MB'");
      statement.execute(sql);
    } catch (SQLException e) {
      throw new IOException(output + " cannot be written as Parquet: " + e.getMessage(), e);
    }
  }

  private static String quoted(Path file) {
    return "'" + file.toAbsolutePath().toString().replace("'", "''") + "'";
  }
}
