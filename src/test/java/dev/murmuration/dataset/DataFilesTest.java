package dev.murmuration.dataset;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.github.luben.zstd.Zstd;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.GZIPOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files of every format, sound and hostile. */
@Tag("unit")
class DataFilesTest {
  private static final String TWO = "{\"text\":\"a\"}\n{\"text\":\"b\"}\n";

  @TempDir Path directory;

  private String file(String name, byte[] content) throws IOException {
    return Files.write(directory.resolve(name), content).toString();
  }

  private String file(String name, String content) throws IOException {
    return file(name, content.getBytes(StandardCharsets.UTF_8));
  }

  private static List<Row> rows(String... names) throws IOException {
    List<Row> rows = new ArrayList<>();
    try (RowSource source =
        DataFiles.open(DataFiles.expand(List.of(names)), InputStream.nullInputStream())) {
      for (Row row; (row = source.next()) != null; ) {
        rows.add(row);
      }
    }
    return rows;
  }

  /** What is said of each row: its JSON, or its problem behind an exclamation mark. */
  private static List<String> said(String... names) throws IOException {
    return rows(names).stream()
        .map(row -> row.problem() == null ? row.json() : "!" + row.problem())
        .toList();
  }

  private static byte[] gzip(byte[] content) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      out.write(content);
    }
    return bytes.toByteArray();
  }

  @Test
  void aDataSetIsTheSameInEveryFormat() throws Exception {
    byte[] lines = TWO.getBytes(StandardCharsets.UTF_8);
    List<String> expected = List.of("{\"text\":\"a\"}", "{\"text\":\"b\"}");
    assertThat(said(file("a.jsonl", lines))).isEqualTo(expected);
    assertThat(said(file("a.jsonl.gz", gzip(lines)))).isEqualTo(expected);
    assertThat(said(file("b.jsonl.zst", Zstd.compress(lines)))).isEqualTo(expected);
    assertThat(said(file("a.json", " [\n{\"text\": \"a\"},\n {\"text\": \"b\"}]\n")))
        .isEqualTo(expected);
    assertThat(said(file("lines.json", lines))).isEqualTo(expected);
    assertThat(said(file("a.csv", "text\r\na\r\n\"b\"\r\n"))).isEqualTo(expected);
    assertThat(said(file("a.tsv", "\ufefftext\na\nb"))).isEqualTo(expected);
    Path parquet = directory.resolve("a.parquet");
    try (var database = DriverManager.getConnection("jdbc:duckdb:");
        var statement = database.createStatement()) {
      statement.execute(
          "COPY (SELECT * FROM (VALUES ('a'), ('b')) t(text)) TO '"
              + parquet
              + "' (FORMAT parquet)");
    }
    assertThat(said(parquet.toString())).isEqualTo(expected);
  }

  @Test
  void rowsAreNumberedOverAllFiles() throws Exception {
    file("1.jsonl", TWO + "\n");
    file("2.jsonl", TWO);
    List<Row> rows = rows(directory.resolve("*.jsonl").toString());
    assertThat(rows.stream().map(Row::number)).containsExactly(1L, 2L, 3L, 4L, 5L);
    assertThat(rows.get(2).isBlank()).isTrue();
    assertThat(rows.get(3).place()).endsWith("2.jsonl, line 1");
  }

  /** As shells make them of a command; what reads its data twice refuses them. */
  @Test
  void aPipeIsReadOnce() throws Exception {
    String pipe = directory.resolve("pipe").toString();
    assertThat(new ProcessBuilder("mkfifo", pipe).start().waitFor()).isZero();
    Thread writer = Thread.ofVirtual().start(() -> write(pipe));
    assertThat(said(pipe)).containsExactly("{\"text\":\"a\"}", "{\"text\":\"b\"}");
    writer.join();
    assertThatThrownBy(() -> DataQuery.all(List.of(pipe)))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining("is a pipe and cannot be read twice");
    assertThatThrownBy(() -> DataQuery.all(List.of("-")))
        .hasMessageContaining("standard input cannot be read twice");
  }

  private static void write(String file) {
    try {
      Files.writeString(Path.of(file), TWO);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Numbers and texts of an array stay as they were written. */
  @Test
  void elementsOfAnArrayKeepTheirNumbers() throws Exception {
    String row = "{\"a\":1.50,\"b\":12345678901234567890,\"c\":1e-7,\"d\":\"\\u00e9\"}";
    assertThat(said(file("a.json", "[" + row + ", 3, {}]")))
        .containsExactly(
            "{\"a\":1.50,\"b\":12345678901234567890,\"c\":1E-7,\"d\":\"é\"}",
            "!the element is not an object",
            "{}");
  }

  @Test
  void damagedRowsAreRowsAndTheOthersGoOn() throws Exception {
    byte[] bad =
        "{\"text\":\"a\"}\nx\u00ff\n{\"text\":\"b\"}".getBytes(StandardCharsets.ISO_8859_1);
    assertThat(said(file("a.jsonl", bad)))
        .containsExactly("{\"text\":\"a\"}", "!the line is not valid UTF-8", "{\"text\":\"b\"}");
    assertThat(said(file("a.csv", "a,b\n1,2\n3\n4,5,6\n7,8\n")))
        .containsExactly(
            "{\"a\":\"1\",\"b\":\"2\"}",
            "!the record has 1 fields, the first line names 2",
            "!the record has 3 fields, the first line names 2",
            "{\"a\":\"7\",\"b\":\"8\"}");
  }

  @Test
  void aLineOfTwentyMegabytesIsOneBadRow() throws Exception {
    byte[] line = new byte[20 << 20];
    Arrays.fill(line, (byte) 'x');
    ByteArrayOutputStream all = new ByteArrayOutputStream();
    all.write(line);
    all.write(("\n" + TWO).getBytes(StandardCharsets.UTF_8));
    assertThat(said(file("a.jsonl", all.toByteArray())))
        .containsExactly(
            "!the line has 20971520 bytes, the limit is 16777216",
            "{\"text\":\"a\"}",
            "{\"text\":\"b\"}");
  }

  @Test
  void aBombIsNotFollowedToItsEnd() throws Exception {
    byte[] zeros = new byte[1 << 20];
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
      for (int i = 0; i < 200; i++) {
        out.write(zeros);
      }
    }
    String bomb = file("bomb.jsonl.gz", bytes.toByteArray());
    assertThatThrownBy(() -> rows(bomb))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("unpacks to more than 500 times its size");
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 10, 25, 40})
  void packedFilesCutShortAreRefused(int missing) throws Exception {
    byte[] whole = TWO.repeat(40).getBytes(StandardCharsets.UTF_8);
    byte[] gzip = gzip(whole);
    byte[] zstd = Zstd.compress(whole);
    String cutGzip = file("a.jsonl.gz", Arrays.copyOf(gzip, gzip.length - missing));
    String cutZstd = file("a.jsonl.zst", Arrays.copyOf(zstd, Math.max(5, zstd.length - missing)));
    for (String name : List.of(cutGzip, cutZstd)) {
      assertThatThrownBy(() -> rows(name))
          .isInstanceOf(IOException.class)
          .hasMessageContaining("get it again");
    }
  }

  @Test
  void damagedFilesSayWhereTheyEnd() throws Exception {
    String array = file("cut.json", "[{\"a\":1},{\"a\":");
    assertThatThrownBy(() -> rows(array))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cut.json");
    String parquet = file("cut.parquet", "PAR1 and then nothing");
    assertThatThrownBy(() -> rows(parquet))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("cannot be read as Parquet");
    assertThat(said(file("open.csv", "a\nb\n\"never closed\nx\n")))
        .containsExactly(
            "{\"a\":\"b\"}", "!the record has a quotation mark that is not closed in the file");
    assertThat(said(file("two.csv", "a\n\"two\nlines, \"\"quoted\"\"\"\n"))).hasSize(1);
    assertThat(said(file("stray.csv", "a\n5\" wide\n\"two\nlines\"\nlast\n"))).hasSize(3);
    String twice = file("twice.csv", "a,a\n1,2\n");
    assertThatThrownBy(() -> rows(twice)).hasMessageContaining("two of one name");
    String folder = directory.toString();
    assertThatThrownBy(() -> rows(folder)).hasMessageContaining("is a folder; name its files");
    assertThatThrownBy(() -> rows(folder + "/none*.jsonl"))
        .hasMessageContaining("no file is named");
    assertThatThrownBy(() -> rows(folder + "/none.jsonl")).hasMessageContaining("does not exist");
  }
}
