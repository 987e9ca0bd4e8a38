package dev.murmuration.dataset;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import de.siegmar.fastcsv.reader.CloseableIterator;
import de.siegmar.fastcsv.reader.CsvParseException;
import de.siegmar.fastcsv.reader.CsvReader;
import de.siegmar.fastcsv.reader.CsvRecord;
import de.siegmar.fastcsv.reader.CsvRecordHandler;
import de.siegmar.fastcsv.reader.FieldModifiers;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.HashSet;
import java.util.List;

/**
 * Comma- or tab-separated values (RFC 4180) under a line of names: a row a record, of strings. A
 * record with another number of fields is a bad row.
 */
final class CsvRows implements RowSource {
  private final CsvReader<CsvRecord> reader;
  private final CloseableIterator<CsvRecord> records;
  private final String title;
  private final long before;
  private List<String> names;
  private long number;

  CsvRows(InputStream in, char separator, String title, long before) throws IOException {
    this.title = title;
    this.before = before;
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
                new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()));
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
    ObjectNode object = JsonNodeFactory.instance.objectNode();
    for (int i = 0; i < names.size(); i++) {
      object.put(names.get(i), row.getField(i));
    }
    return Row.of(before + number, object.toString(), place);
  }

  private static String withoutMark(String name) {
    return name.startsWith("\ufeff") ? name.substring(1) : name;
  }

  private CsvRecord read() throws IOException {
    try {
      return records.hasNext() ? records.next() : null;
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
