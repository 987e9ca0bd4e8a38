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
  /** The largest JSON file of a checkpoint is tokenizer.json; that of Llama 2 has 4 MB. */
  public static final int MAX_BYTES = 16 << 20;

  /**
   * Jackson counts keys, values and brackets as tokens. A key with its value takes up to 200 bytes
   * while it is read, so that any document stays below 256 MB. Llama 2's tokenizer.json has 0.4
   * million tokens.
   */
  private static final long MAX_TOKENS = 1_500_000;

  private static final ObjectMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder()
                          .maxNestingDepth(64)
                          .maxTokenCount(MAX_TOKENS)
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

  private static final Pattern PARSER_NAMES =
      Pattern.compile(
          " \\(start marker at \\[Source: .*\\]\\)"
              + "|: enable `[^`]*` to allow"
              + "| \\(not recognized as one since Feature '[^']*' not enabled for parser\\)"
              + "|, from `[^`]*`");

  private JsonFile() {}

  public static JsonNode read(Path file) throws IOException {
    long size = Files.size(file);
    if (size > MAX_BYTES) {
      throw new BadFileException(
          file, "has " + size + " bytes, the limit for JSON is " + MAX_BYTES);
    }
    byte[] json = Files.readAllBytes(file);
    Optional<String> foreign = ForeignFile.packed(json).or(() -> ForeignFile.encoded(json));
    if (foreign.isPresent()) {
      throw new BadFileException(file, foreign.get());
    }
    return parse(file, "", withoutMark(json));
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
    JsonNode root;
    try {
      // Decoded here, because Jackson would guess UTF-16 or UTF-32 from the first bytes.
      root =
          MAPPER.readTree(
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
