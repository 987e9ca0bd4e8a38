package dev.murmuration.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.murmuration.files.BadFileException;
import dev.murmuration.files.ForeignFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Optional;
import java.util.regex.Pattern;

/** Reads a JSON object from a file that may be damaged or hostile. */
public final class JsonFile {
  /** Of any JSON file but tokenizer.json. */
  public static final int MAX_BYTES = 16 << 20;

  /** The largest tokenizer.json is Gemma's, with 34 MB. */
  private static final int MAX_TOKENIZER_BYTES = 64 << 20;

  /**
   * Jackson counts keys, values and brackets as tokens. A key with its value takes up to 200 bytes
   * while it is read, so that any document stays below 256 MB.
   */
  private static final ObjectMapper MAPPER = mapper(1_500_000);

  /** Gemma's tokenizer.json has 2.9 million tokens: 256,000 names, 580,000 pairs. */
  private static final ObjectMapper TOKENIZER_MAPPER = mapper(5_000_000);

  private static final Pattern PARSER_NAMES =
      Pattern.compile(
          " \\(start marker at \\[Source: .*\\]\\)"
              + "|: enable `[^`]*` to allow"
              + "| \\(not recognized as one since Feature '[^']*' not enabled for parser\\)"
              + "|, from `[^`]*`"
              + "| \\(bound as `[^`]*`\\): not allowed as per `[^`]*`");

  private JsonFile() {}

  private static ObjectMapper mapper(long maxTokens) {
    return JsonMapper.builder(
            JsonFactory.builder()
                .streamReadConstraints(
                    StreamReadConstraints.builder()
                        .maxNestingDepth(64)
                        .maxTokenCount(maxTokens)
                        .maxNumberLength(40)
                        .maxNameLength(1 << 16)
                        .maxStringLength(1 << 20)
                        .build())
                // Interned names would stay in memory for as long as the JVM runs.
                .disable(JsonFactory.Feature.INTERN_FIELD_NAMES)
                .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
                .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
                .build())
        // Python writes them. Where such a number matters, its reader refuses it by name.
        .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
        .build();
  }

  public static JsonNode read(Path file) throws IOException {
    return read(file, MAX_BYTES, MAPPER);
  }

  /** Reads a {@code tokenizer.json}, which may be much larger than any other. */
  public static JsonNode readTokenizer(Path file) throws IOException {
    return read(file, MAX_TOKENIZER_BYTES, TOKENIZER_MAPPER);
  }

  private static JsonNode read(Path file, int maxBytes, ObjectMapper mapper) throws IOException {
    long size = Files.size(file);
    if (size > maxBytes) {
      throw new BadFileException(file, "has " + size + " bytes, the limit for JSON is " + maxBytes);
    }
    byte[] json = Files.readAllBytes(file);
    Optional<String> foreign = ForeignFile.packed(json).or(() -> ForeignFile.encoded(json));
    if (foreign.isPresent()) {
      throw new BadFileException(file, foreign.get());
    }
    return parse(file, "", withoutMark(json), mapper);
  }

  /**
   * The content without a byte order mark, which some editors put before UTF-8 and JSON forbids.
   */
  private static byte[] withoutMark(byte[] json) {
    boolean marked =
        json.length >= 3
            && json[0] == (byte) 0xef
            && json[1] == (byte) 0xbb
            && json[2] == (byte) 0xbf;
    return marked ? Arrays.copyOfRange(json, 3, json.length) : json;
  }

  /**
   * Parses JSON that was found in a file.
   *
   * @param where begins the message of a failure: empty, or a part of the file with a blank behind
   *     it, such as {@code "the header "}
   */
  public static JsonNode parse(Path file, String where, byte[] json) throws BadFileException {
    return parse(file, where, json, MAPPER);
  }

  private static JsonNode parse(Path file, String where, byte[] json, ObjectMapper mapper)
      throws BadFileException {
    JsonNode root;
    try {
      // Decoded here, because Jackson would guess UTF-16 or UTF-32 from the first bytes.
      root =
          mapper.readTree(
              StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(json)).toString());
    } catch (CharacterCodingException e) {
      throw new BadFileException(file, where + "is not UTF-8, as JSON has to be", e);
    } catch (JsonProcessingException e) {
      throw new BadFileException(
          file, where + "is not valid JSON: " + BadFileException.quote(problem(e)), e);
    }
    if (!root.isObject()) {
      throw new BadFileException(file, where + "is not a JSON object");
    }
    return root;
  }

  /**
   * What is wrong with some JSON, in the words of the parser without what only programmers know: it
   * also names its own classes and settings.
   */
  public static String problem(JsonProcessingException e) {
    String said = String.valueOf(e.getOriginalMessage());
    return PARSER_NAMES.matcher(said).replaceAll("");
  }
}
