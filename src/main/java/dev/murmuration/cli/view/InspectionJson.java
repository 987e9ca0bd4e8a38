package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.inspection.InspectedMetadata;
import dev.murmuration.inspection.Inspection;
import dev.murmuration.memory.DeviceNeed;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.reward.Precision;
import java.io.IOException;
import java.util.Map;

/** What was found, as one object: the same names for all, null where nothing is known. */
public final class InspectionJson {
  private InspectionJson() {}

  public static void write(JsonGenerator json, Inspection found) throws IOException {
    InspectedMetadata details = found.details();
    json.writeStringField("file", found.file());
    json.writeStringField("format", found.format());
    json.writeNumberField("bytes", found.bytes());
    json.writeBooleanField("valid", found.valid());
    json.writeStringField("problem", found.valid() ? null : Wording.problem(found));
    json.writeStringField("name", details.text("general.name"));
    json.writeStringField("architecture", details.text("general.architecture"));
    numbers(json, "shapes", found.shapes());
    json.writeNumberField("parameters", found.parameters());
    types(json, found);
    memory(json, found);
    head(json, details.head());
    json.writeStringField("value_head_network", details.network());
    json.writeStringField("family", details.text(RewardMetadata.FAMILY));
    json.writeStringField("template", details.text(RewardMetadata.TEMPLATE));
    json.writeStringField("readout", details.text(RewardMetadata.READOUT));
    number(json, "readout_pad_token_id", details.number(RewardMetadata.READOUT_PAD));
    json.writeStringField("template_date", details.text(RewardMetadata.TEMPLATE_DATE));
    json.writeStringField("truncation_side", details.text(RewardMetadata.TRUNCATION_SIDE));
    json.writeStringField("normalizer", details.text(RewardMetadata.NORMALIZER));
    number(json, "max_length", details.number(RewardMetadata.MAX_LENGTH));
    tokenizer(json, details);
    DecisionsJson.write(json, found.decisions());
  }

  private static void types(JsonGenerator json, Inspection found) throws IOException {
    json.writeArrayFieldStart("types");
    for (Inspection.TypeShare share : found.types()) {
      json.writeStartObject();
      json.writeStringField("type", share.type());
      json.writeNumberField("tensors", share.tensors());
      json.writeNumberField("bytes", share.bytes());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void memory(JsonGenerator json, Inspection found) throws IOException {
    json.writeArrayFieldStart("memory");
    for (Map.Entry<Precision, MemoryNeed> entry : found.memory().entrySet()) {
      MemoryNeed need = entry.getValue();
      json.writeStartObject();
      json.writeStringField("precision", entry.getKey().label());
      json.writeNumberField("context_length", need.contextLength());
      json.writeNumberField("cells", need.cells());
      json.writeNumberField("weight_bytes", need.weights());
      json.writeNumberField("repacked_bytes", need.repacked());
      json.writeNumberField("cache_bytes", need.cache());
      json.writeNumberField("buffer_bytes", need.buffers());
      json.writeNumberField("total_bytes", need.total());
      json.writeNumberField("host_layers", need.hostLayers());
      devices(json, need);
      json.writeNumberField("available_bytes", need.available());
      json.writeStringField("refusal", Wording.refusal(need));
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void devices(JsonGenerator json, MemoryNeed need) throws IOException {
    json.writeArrayFieldStart("devices");
    for (DeviceNeed device : need.devices()) {
      json.writeStartObject();
      json.writeStringField("device", device.device());
      json.writeNumberField("layers", device.layers());
      json.writeNumberField("weight_bytes", device.weights());
      json.writeNumberField("cache_bytes", device.cache());
      json.writeNumberField("buffer_bytes", device.buffers());
      json.writeNumberField("total_bytes", device.total());
      json.writeNumberField("available_bytes", device.free());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  private static void head(JsonGenerator json, InspectedMetadata.Head head) throws IOException {
    if (head == null) {
      json.writeNullField("value_head");
      return;
    }
    json.writeObjectFieldStart("value_head");
    json.writeNumberField("length", head.length());
    json.writeNumberField("min", (float) head.least());
    json.writeNumberField("max", (float) head.most());
    json.writeNumberField("mean", (float) head.mean());
    json.writeNumberField("l2_norm", (float) head.norm());
    json.writeEndObject();
  }

  private static void tokenizer(JsonGenerator json, InspectedMetadata details) throws IOException {
    Integer tokens = details.tokens();
    json.writeObjectFieldStart("tokenizer");
    json.writeStringField("kind", details.text("tokenizer.ggml.model"));
    number(json, "tokens", tokens == null ? null : (Long) tokens.longValue());
    numbers(json, "special_token_ids", details.tokenIds());
    Boolean addsBos = details.flag("tokenizer.ggml.add_bos_token");
    if (addsBos == null) {
      json.writeNullField("adds_bos");
    } else {
      json.writeBooleanField("adds_bos", addsBos);
    }
    Boolean addsEos = details.flag("tokenizer.ggml.add_eos_token");
    if (addsEos == null) {
      json.writeNullField("adds_eos");
    } else {
      json.writeBooleanField("adds_eos", addsEos);
    }
    json.writeEndObject();
  }

  private static void numbers(
      JsonGenerator json, String name, Map<String, ? extends Number> numbers) throws IOException {
    json.writeObjectFieldStart(name);
    for (Map.Entry<String, ? extends Number> entry : numbers.entrySet()) {
      if (entry.getValue() instanceof Float real) {
        json.writeNumberField(entry.getKey(), real);
      } else {
        json.writeNumberField(entry.getKey(), entry.getValue().longValue());
      }
    }
    json.writeEndObject();
  }

  private static void number(JsonGenerator json, String name, Long number) throws IOException {
    if (number == null) {
      json.writeNullField(name);
    } else {
      json.writeNumberField(name, number);
    }
  }
}
