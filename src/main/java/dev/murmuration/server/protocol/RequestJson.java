package dev.murmuration.server.protocol;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.murmuration.json.JsonFile;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/** Reads and writes the JSON of requests, which may be hostile. */
public final class RequestJson {
  /** A token of a text takes one, and a request has no more bytes than that. */
  private static final long MAX_TOKENS = 8_000_000;

  public static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(32)
                          .maxTokenCount(MAX_TOKENS)
                          .maxNumberLength(40)
                          .maxNameLength(1000)
                          .maxStringLength(Integer.MAX_VALUE)
                          .build())
                  // Interned names would stay in memory for as long as the JVM runs.
                  .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                  .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                  .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                  .build())
          // Python writes them, say for a label that is missing.
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private RequestJson() {}

  /**
   * The object that a request's body holds.
   *
   * @throws RequestFailure if it is none
   */
  public static ObjectNode parse(byte[] body) {
    JsonNode root;
    try {
      // Decoded here, because Jackson would guess UTF-16 or UTF-32 from the first bytes.
      root =
          MAPPER.readTree(
              StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(body)).toString());
    } catch (CharacterCodingException e) {
      throw RequestFailure.of(400, "the body is not UTF-8, as JSON has to be", e);
    } catch (JsonProcessingException e) {
      throw RequestFailure.of(400, "the body is not valid JSON: " + problem(e), e);
    }
    if (root instanceof ObjectNode object) {
      return object;
    }
    throw RequestFailure.of(
        400, "the body is " + kind(root) + "; it has to be a JSON object, {\"…\": …}");
  }

  private static String problem(JsonProcessingException e) {
    // What the parser quotes may be a part of somebody's text.
    String said = JsonFile.problem(e).replaceAll("\\s+", " ");
    String where =
        e.getLocation() == null
            ? ""
            : " (line "
                + e.getLocation().getLineNr()
                + ", column "
                + e.getLocation().getColumnNr()
                + ")";
    return (said.length() > 200 ? said.substring(0, 200) + "…" : said) + where;
  }

  /** What a value is called in a message. */
  static String kind(JsonNode value) {
    return switch (value.getNodeType()) {
      case ARRAY -> "an array";
      case OBJECT, POJO -> "an object";
      case STRING -> "a string";
      case NUMBER -> value.isIntegralNumber() ? "a whole number" : "a number";
      case BOOLEAN -> value.asText();
      case NULL -> "null";
      case BINARY, MISSING -> "empty";
    };
  }

  /** An answer's bytes. */
  public static byte[] bytes(JsonNode answer) {
    try {
      return MAPPER.writeValueAsBytes(answer);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(e);
    }
  }
}
