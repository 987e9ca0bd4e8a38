package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import de.siegmar.fastcsv.reader.FieldModifiers;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;
import java.util.function.Supplier;

/**
 * Comma- or tab-separated values (RFC 4180) under a line of names: a row a record, of strings. A
 * record with another number of fields is a bad row.
 */
final class CsvRows implements RowSource {
  private final CsvReader<CsvRecord> reader;
  private final CloseableIterator<CsvRecord> records;
  private final QuoteCount quotes;
  private final String title;
  private final long before;
  private List<String> names;
  private long number;

  CsvRows(InputStream in, char separator, String title, long before) throws IOException {
    this.title = title;
    this.before = before;
    this.quotes = new QuoteCount(in);
    this.reader =
        CsvReader.builder()
            .fieldSeparator(separator)
            .skipEmptyLines(true)
            .maxBufferSize(MAX_ROW)
            .detectBomHeader(false)
            .build(
                CsvRecordHandler.builder()
                    .maxFieldSize(MAX_ROW)
                    .maxRecordSize(MAX_ROW)
                    .fieldModifier(FieldModifiers.NOP)
                    .build(),
                new InputStreamReader(quotes, StandardCharsets.UTF_8.newDecoder()));
    this.records = reader.iterator();
  }

  @Override
  public Row next() throws IOException {
    if (names == null) {
      CsvRecord header = read();
      if (header == null) {
        return null;
      }
      names = header.getFields().stream().map(CsvRows::withoutMark).toList();
      if (new HashSet<>(names).size() < names.size() || names.contains("")) {
        throw new IOException(
            title + " has columns without a name, or two of one name, in its first line: " + names);
      }
    }
    CsvRecord row = read();
    if (row == null) {
      return null;
    }
    number++;
    String place = title + ", line " + row.getStartingLineNumber();
    if (row.getFieldCount() != names.size()) {
      return Row.bad(
          before + number,
          "the record has " + row.getFieldCount() + " fields, the first line names " + names.size(),
          place);
    }
    if (isOpen(row)) {
      return Row.bad(
          before + number, "the record has a quotation mark that is not closed in the file", place);
    }
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    for (int i = 0; i < names.size(); i++) {
      object.put(names.get(i), row.getField(i));
    }
    return Row.of(before + number, object.toString(), place);
  }

  /** Whether it is the last one and has taken the rest of the file for a quoted field. */
  private boolean isOpen(CsvRecord row) throws IOException {
    return row.getField(row.getFieldCount() - 1).contains("\n") && isLast() && quotes.odd;
  }

  /** Quotation marks come in pairs, since one in a field is written twice. */
  private static final class QuoteCount extends FilterInputStream {
    private boolean odd;

    QuoteCount(InputStream in) {
      super(in);
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      int n = in.read(bytes, offset, length);
      for (int i = 0; i < n; i++) {
        odd ^= bytes[offset + i] == '"';
      }
      return n;
    }
  }

  private static String withoutMark(String name) {
    return name.startsWith("\ufeff") ? name.substring(1) : name;
  }

  private CsvRecord read() throws IOException {
    return attempt(() -> records.hasNext() ? records.next() : null);
  }

  private boolean isLast() throws IOException {
    return attempt(() -> !records.hasNext());
  }

  private <T> T attempt(Supplier<T> reading) throws IOException {
    try {
      return reading.get();
    } catch (CsvParseException e) {
      throw new IOException(
          title
              + " is no CSV behind record "
              + number
              + ": "
              + e.getMessage()
              + "; is a quotation mark missing?",
          e);
    } catch (UncheckedIOException e) {
      throw e.getCause() instanceof CharacterCodingException
          ? new IOException(title + " is not UTF-8; convert it first (iconv -t UTF-8)", e)
          : e.getCause();
    }
  }

  @Override
  public void close() throws IOException {
    records.close();
    reader.close();
  }
}
