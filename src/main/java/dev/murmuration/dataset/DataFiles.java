package dev.murmuration.dataset;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;

/**
 * Opens data sets: JSON lines, JSON arrays, CSV, TSV and Parquet, packed with gzip or Zstandard or
 * not. A file's format follows from its first bytes, and of text from its name.
 */
public final class DataFiles {
  /** What stands for standard input. */
  public static final String STANDARD_INPUT = "-";

  private static final String PARQUET = "PAR1";

  private DataFiles() {}

  /**
   * The files that names stand for, in order.
   *
   * @param names of files, or patterns with {@code *} and {@code ?} in the last part, whose files
   *     are sorted by name; {@code -} is standard input
   * @throws IOException if a file does not exist, or a pattern fits none
   */
  public static List<String> expand(List<String> names) throws IOException {
    List<String> files = new ArrayList<>();
    for (String name : names) {
      if (name.equals(STANDARD_INPUT) || Files.isRegularFile(Path.of(name))) {
        files.add(name);
      } else if (Files.isDirectory(Path.of(name))) {
        throw new IOException(name + " is a folder; name its files: " + name + "/*.jsonl");
      } else if (name.matches(".*[*?\\[{].*")) {
        files.addAll(matching(name));
      } else {
        throw new IOException(name + " does not exist");
      }
    }
    return files;
  }

  private static List<String> matching(String pattern) throws IOException {
    Path path = Path.of(pattern);
    Path folder = path.getParent() == null ? Path.of("") : path.getParent();
    List<String> found = new ArrayList<>();
    if (Files.isDirectory(folder.toAbsolutePath())) {
      try (DirectoryStream<Path> entries =
          Files.newDirectoryStream(folder, String.valueOf(path.getFileName()))) {
        entries.forEach(entry -> found.add(entry.toString()));
      }
    }
    if (found.isEmpty()) {
      throw new IOException("no file is named like " + pattern);
    }
    return found.stream().sorted().toList();
  }

  /**
   * The rows of some files, one after another.
   *
   * @param files as {@link #expand} gives them
   * @param standardInput what {@code -} stands for
   */
  public static RowSource open(List<String> files, InputStream standardInput) {
    return new Chain(files.iterator(), standardInput);
  }

  private static RowSource openOne(String name, InputStream standardInput, long before)
      throws IOException {
    boolean standard = name.equals(STANDARD_INPUT);
    String title = standard ? "standard input" : name;
    InputStream raw = standard ? standardInput : Files.newInputStream(Path.of(name));
    try {
      InputStream in = new BufferedInputStream(Decompression.of(raw, title), 1 << 16);
      in.mark(1 << 12);
      byte[] head = in.readNBytes(1 << 12);
      in.reset();
      String start = new String(head, StandardCharsets.ISO_8859_1);
      if (start.startsWith(PARQUET)) {
        if (standard) {
          throw new IOException("Parquet cannot be read from standard input; name the file");
        }
        in.close();
        return new ParquetRows(Path.of(name), before);
      }
      String lower = name.toLowerCase(Locale.ROOT).replaceAll("\\.(gz|zst|zstd)$", "");
      if (lower.endsWith(".csv") || lower.endsWith(".tsv")) {
        return new CsvRows(in, lower.endsWith(".tsv") ? '\t' : ',', title, before);
      }
      String text = start.replaceFirst("^\u00ef\u00bb\u00bf", "").stripLeading();
      return text.startsWith("[")
          ? new ArrayRows(in, title, before)
          : new LineRows(in, title, before);
    } catch (IOException | RuntimeException e) {
      raw.close();
      throw e;
    }
  }

  private static final class Chain implements RowSource {
    private final Iterator<String> files;
    private final InputStream standardInput;
    private RowSource current;
    private long rows;

    Chain(Iterator<String> files, InputStream standardInput) {
      this.files = files;
      this.standardInput = standardInput;
    }

    @Override
    public Row next() throws IOException {
      while (true) {
        if (current == null) {
          if (!files.hasNext()) {
            return null;
          }
          current = openOne(files.next(), standardInput, rows);
        }
        Row row = current.next();
        if (row != null) {
          rows = row.number();
          return row;
        }
        current.close();
        current = null;
      }
    }

    @Override
    public void close() throws IOException {
      if (current != null) {
        current.close();
      }
    }
  }
}
