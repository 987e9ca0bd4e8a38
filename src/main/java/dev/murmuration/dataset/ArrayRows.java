package dev.murmuration.dataset;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import dev.murmuration.json.JsonFile;
import java.io.IOException;
import java.io.InputStream;
import java.io.StringWriter;

/** One JSON array of objects: a row each. Numbers and texts stay as they are, blanks do not. */
final class ArrayRows implements RowSource {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(MAX_ROW).maxNestingDepth(64).build())
          .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
          .build();

  private final JsonParser json;
  private final String title;
  private final long before;
  private final long size;
  private long number;

  /**
   * @param before rows of the files before this one
   * @param size bytes of the array; 0 if that is not known
   */
  ArrayRows(InputStream in, String title, long before, long size) throws IOException {
    this.json = FACTORY.createParser(in);
    this.title = title;
    this.before = before;
    this.size = size;
    advance();
  }

  @Override
  public Row next() throws IOException {
    JsonToken token = advance();
    if (token == JsonToken.END_ARRAY || token == null) {
      if (token == null || advance() != null) {
        throw new IOException(
            title
                + (token == null
                    ? " is cut short: its array has no end; get it again"
                    : " holds something behind its array; give one array, or one object a line"));
      }
      return null;
    }
    number++;
    String place = title + ", element " + number;
    if (token != JsonToken.START_OBJECT) {
      json.skipChildren();
      return Row.bad(before + number, "the element is not an object", place);
    }
    return element(place);
  }

  private Row element(String place) throws IOException {
    StringWriter text = new StringWriter();
    try (JsonGenerator copy = FACTORY.createGenerator(text)) {
      int depth = 0;
      do {
        JsonToken token = json.currentToken();
        depth += token.isStructStart() ? 1 : token.isStructEnd() ? -1 : 0;
        if (text.getBuffer().length() <= MAX_ROW) {
          copy.copyCurrentEventExact(json);
        }
      } while (depth > 0 && advance() != null);
      if (depth > 0) {
        throw new IOException(title + " is cut short within element " + number + "; get it again");
      }
    }
    return text.getBuffer().length() > MAX_ROW
        ? Row.bad(before + number, "the element is longer than " + MAX_ROW + " characters", place)
        : Row.of(before + number, text.toString(), place);
  }

  private JsonToken advance() throws IOException {
    try {
      return json.nextToken();
    } catch (JsonProcessingException e) {
      throw new IOException(
          title
              + " is not valid JSON: "
              + JsonFile.problem(e)
              + " (line "
              + e.getLocation().getLineNr()
              + "); what stands behind it cannot be read",
          e);
    }
  }

  @Override
  public double share() {
    return size == 0 ? Double.NaN : (double) json.currentLocation().getByteOffset() / size;
  }

  @Override
  public void close() throws IOException {
    json.close();
  }
}
