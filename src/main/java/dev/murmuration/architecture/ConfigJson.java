package dev.murmuration.architecture;

import com.fasterxml.jackson.databind.JsonNode;
import dev.murmuration.files.BadFileException;
import java.nio.file.Path;
import java.util.OptionalDouble;

/** A {@code config.json}, in either dialect: typed reading, and messages that name the file. */
public final class ConfigJson {
  private final Path file;
  private final JsonNode json;

  public ConfigJson(Path file, JsonNode json) {
    this.file = file;
    this.json = json;
  }

  /** The value under a key; a missing node where there is none. */
  JsonNode get(String key) {
    return json.path(key);
  }

  /** Whether there is a value that is not null. */
  boolean has(String key) {
    return json.hasNonNull(key);
  }

  /** The newer dialect's object, else the older one's; both may be absent or null. */
  JsonNode rope() {
    return json.path(has("rope_parameters") ? "rope_parameters" : "rope_scaling");
  }

  /**
   * A size that has to be there.
   *
   * @throws BadFileException if it is missing or out of range
   */
  int size(Size size) throws BadFileException {
    String key = size.configKey();
    JsonNode value = json.path(key);
    if (value.isMissingNode() || value.isNull()) {
      throw missing(key);
    }
    if (!value.isInt() || value.intValue() < 1 || value.intValue() > size.limit()) {
      throw problem(key + " is " + quoted(key) + ", expected a number from 1 to " + size.limit());
    }
    return value.intValue();
  }

  /** A size, or what it is where the file does not say. */
  int size(Size size, int otherwise) throws BadFileException {
    return has(size.configKey()) ? size(size) : otherwise;
  }

  OptionalDouble number(String key) throws BadFileException {
    return number(json, key);
  }

  OptionalDouble number(JsonNode parent, String key) throws BadFileException {
    JsonNode value = parent.path(key);
    if (value.isMissingNode() || value.isNull()) {
      return OptionalDouble.empty();
    }
    if (!value.isNumber() || !Double.isFinite(value.doubleValue())) {
      throw problem(key + " is " + BadFileException.quote(value.toString()) + ", not a number");
    }
    return OptionalDouble.of(value.doubleValue());
  }

  /** A number within bounds that has to be there. */
  double number(String key, double least, double most) throws BadFileException {
    double value = number(key).orElseThrow(() -> missing(key));
    if (!(value >= least && value <= most)) {
      throw problem(key + " is " + value + ", expected " + least + " to " + most);
    }
    return value;
  }

  /** The value as it is written, for a message. */
  String quoted(String key) {
    return BadFileException.quote(json.path(key).toString());
  }

  BadFileException missing(String key) {
    return problem(key + " is missing; is this the config.json of a language model?");
  }

  BadFileException problem(String text) {
    return new BadFileException(file, text);
  }
}
