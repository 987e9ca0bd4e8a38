package dev.murmuration.cli.doctor;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** A diagnosis as an object. */
public final class DiagnosisJson {
  private DiagnosisJson() {}

  public static void write(JsonGenerator json, Diagnosis diagnosis) throws IOException {
    json.writeBooleanField("works", diagnosis.works());
    json.writeStringField("build", Version.build());
    json.writeArrayFieldStart("checks");
    for (Finding finding : diagnosis.findings()) {
      json.writeStartObject();
      json.writeStringField("check", finding.check());
      json.writeStringField("state", finding.state().label());
      json.writeStringField("text", Wording.oneLine(finding.text()));
      for (Map.Entry<String, Object> fact : finding.facts().entrySet()) {
        json.writeFieldName(fact.getKey());
        value(json, fact.getValue());
      }
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void value(JsonGenerator json, Object value) throws IOException {
    switch (value) {
      case Boolean flag -> json.writeBoolean(flag);
      case Double real -> json.writeNumber(real);
      case Number whole -> json.writeNumber(whole.longValue());
      case List<?> list -> {
        json.writeStartArray();
        for (Object element : list) {
          value(json, element);
        }
        json.writeEndArray();
      }
      default -> json.writeString(value.toString());
    }
  }
}
