package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.checkpoint.Decision;
import java.io.IOException;
import java.util.List;

/** What a conversion decided, as an array of objects. */
public final class DecisionsJson {
  private DecisionsJson() {}

  /** Writes the field {@code decisions}. */
  public static void write(JsonGenerator json, List<Decision> decisions) throws IOException {
    json.writeArrayFieldStart("decisions");
    for (Decision decision : decisions) {
      json.writeStartObject();
      json.writeStringField("subject", decision.subject());
      json.writeStringField("choice", decision.choice());
      json.writeStringField("reason", decision.reason());
      json.writeBooleanField("warning", decision.warning());
      json.writeEndObject();
    }
    json.writeEndArray();
  }
}
