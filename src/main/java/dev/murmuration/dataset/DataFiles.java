package dev.murmuration.dataset;

import java.io.BufferedInputStream;
import java.io.FilterInputStream;
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
  private static final String PATTERN = ".*[*?\\[{].*";

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
      if (Files.isDirectory(Path.of(name))) {
        throw new IOException(name + " is a folder; name its files: " + name + "/*.jsonl");
      } else if (name.equals(STANDARD_INPUT) || Files.exists(Path.of(name))) {
        files.add(name); // Pipes, too, as shells make them of <(COMMAND).
      } else if (name.matches(PATTERN)) {
        files.addAll(matching(name));
      } else {
        throw new IOException(name + " does not exist");
      }
    }
    return files;
  }

  /** Whether a name stands for something to read: a file, a pattern, a folder or standard input. */
  public static boolean exists(String name) {
    return name.equals(STANDARD_INPUT) || name.matches(PATTERN) || Files.exists(Path.of(name));
  }

  /** Whether it is a pipe or a device, whose content is gone when it was read. */
  static boolean isReadOnce(String name) {
    return name.equals(STANDARD_INPUT)
        || (Files.exists(Path.of(name)) && !Files.isRegularFile(Path.of(name)));
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
    return new Chain(files, standardInput);
  }

  private static RowSource openOne(String name, TitledInput raw, long before) throws IOException {
    try {
      InputStream content = Decompression.of(raw, raw.title);
      InputStream in = new BufferedInputStream(content, 1 << 16);
      in.mark(1 << 12);
      byte[] head = new byte[1 << 12];
      int known = Math.max(0, in.read(head)); // As much as is there: a pipe may wait for answers.
      in.reset();
      String start = new String(head, 0, known, StandardCharsets.ISO_8859_1);
      if (start.startsWith(PARQUET)) {
        if (isReadOnce(name)) {
          throw new IOException(
              "Parquet cannot be read from " + raw.title + ", which is a pipe; name the file");
        }
        in.close();
        return new ParquetRows(Path.of(name), before);
      }
      String lower = name.toLowerCase(Locale.ROOT).replaceAll("\\.(gz|zst|zstd)$", "");
      if (lower.endsWith(".csv") || lower.endsWith(".tsv")) {
        return new CsvRows(in, lower.endsWith(".tsv") ? '\t' : ',', raw.title, before);
      }
      String text = start.replaceFirst("^\u00ef\u00bb\u00bf", "").stripLeading();
      long size = Decompression.isPacked(content) ? 0 : Chain.size(name);
      return text.startsWith("[")
          ? new ArrayRows(in, raw.title, before, size)
          : new LineRows(in, raw.title, before, size);
    } catch (IOException | RuntimeException e) {
      raw.close();
      throw e;
    }
  }

  /** Says what cannot be read, and counts what is. */
  private static final class TitledInput extends FilterInputStream {
    private final String title;
    private long count;

    TitledInput(InputStream in, String title) {
      super(in);
      this.title = title;
    }

    @Override
    public int read() throws IOException {
      try {
        int read = in.read();
        count += read < 0 ? 0 : 1;
        return read;
      } catch (IOException e) {
        throw problem(e);
      }
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      try {
        int read = in.read(bytes, offset, length);
        count += Math.max(0, read);
        return read;
      } catch (IOException e) {
        throw problem(e);
      }
    }

    private IOException problem(IOException e) {
      return new IOException("cannot read " + title + ": " + e.getMessage(), e);
    }
  }

  private static final class Chain implements RowSource {
    private final Iterator<String> files;
    private final InputStream standardInput;
    private final long total;
    private TitledInput input;
    private RowSource current;
    private long rows;

    /** Bytes of the files before the current one. */
    private long before;

    private long size;

    Chain(List<String> files, InputStream standardInput) {
      this.files = files.iterator();
      this.standardInput = standardInput;
      this.total = files.stream().mapToLong(Chain::size).sum();
    }

    /** Bytes of a file; 0 if that is not known. */
    private static long size(String file) {
      return file.equals(STANDARD_INPUT) ? 0 : Path.of(file).toFile().length();
    }

    @Override
    public Row next() throws IOException {
      while (true) {
        if (current == null) {
          if (!files.hasNext()) {
            return null;
          }
          open(files.next());
        }
        Row row = current.next();
        if (row != null) {
          rows = row.number();
          return row;
        }
        close();
        current = null;
      }
    }

    private void open(String file) throws IOException {
      boolean standard = file.equals(STANDARD_INPUT);
      before += size;
      size = size(file);
      input =
          new TitledInput(
              standard ? standardInput : Files.newInputStream(Path.of(file)),
              standard ? "standard input" : file);
      current = openOne(file, input, rows);
    }

    @Override
    public double share() {
      if (total == 0) {
        return Double.NaN;
      }
      if (current == null) {
        return files.hasNext() ? (double) (before + size) / total : 1;
      }
      double share = current.share();
      return (before + (Double.isNaN(share) ? input.count : share * size)) / total;
    }

    @Override
    public void close() throws IOException {
      if (current != null) {
        current.close();
      }
    }
  }
}
