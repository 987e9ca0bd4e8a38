package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.databind.JsonSerializer;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.PropertyNamingStrategies;
import com.fasterxml.jackson.databind.SerializerProvider;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.module.SimpleModule;
import dev.murmuration.cli.terminal.Terminal;
import java.io.IOException;
import java.util.Optional;

/** Results of evaluations as JSON: the names of their parts, and null for what is not a number. */
public final class EvaluationJson {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .propertyNamingStrategy(PropertyNamingStrategies.SNAKE_CASE)
          .addModule(
              new SimpleModule()
                  .addSerializer(Double.class, new FiniteNumber())
                  .addSerializer(double.class, new FiniteNumber())
                  .addSerializer(Optional.class, new OptionalValue()))
          .build();

  private EvaluationJson() {}

  /** The result as JSON on one line. */
  public static String of(Object result) throws IOException {
    return MAPPER.writeValueAsString(result);
  }

  /** Prints the result on one line. */
  public static void print(Object result, Terminal terminal) throws IOException {
    terminal.out().println(of(result));
  }

  private static final class FiniteNumber extends JsonSerializer<Double> {
    @Override
    public void serialize(Double value, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      if (Double.isFinite(value)) {
        json.writeNumber(value);
      } else {
        json.writeNull();
      }
    }
  }

  @SuppressWarnings("rawtypes") // Jackson asks for the raw class.
  private static final class OptionalValue extends JsonSerializer<Optional> {
    @Override
    public void serialize(Optional value, JsonGenerator json, SerializerProvider provider)
        throws IOException {
      if (value.isPresent()) {
        provider.defaultSerializeValue(value.get(), json);
      } else {
        json.writeNull();
      }
    }
  }
}
