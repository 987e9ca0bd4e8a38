package dev.murmuration.cli.view;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.bench.BenchFigure;
import dev.murmuration.bench.BenchResult;
import dev.murmuration.bench.BenchTimes;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.llama.Hardware;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.util.OptionalDouble;

/** What was measured, for machines. Times are in seconds, with all their digits. */
public final class BenchJson {
  private final BenchResult result;
  private final JsonGenerator json;

  private BenchJson(BenchResult result, JsonGenerator json) {
    this.result = result;
    this.json = json;
  }

  public static void print(BenchResult result, Terminal terminal) throws IOException {
    Json.printObject(terminal, json -> new BenchJson(result, json).write());
  }

  private void write() throws IOException {
    BenchResult.Subject subject = result.subject();
    json.writeStringField("machine", subject.machine());
    json.writeStringField("architecture", System.getProperty("os.arch"));
    json.writeNumberField("processors", subject.processors());
    json.writeNumberField("threads", subject.threads());
    json.writeStringField("model", subject.model());
    json.writeNumberField("parameters", subject.parameters());
    json.writeStringField("type", subject.type().name());
    json.writeStringField("precision", subject.precision());
    json.writeStringField("build", Version.build());
    limits(result.limits());
    if (!result.prefill().isEmpty()) {
      json.writeArrayFieldStart("prefill");
      for (BenchResult.Prefill prefill : result.prefill()) {
        json.writeStartObject();
        json.writeNumberField("tokens", prefill.tokens());
        write(prefill.figure());
        json.writeEndObject();
      }
      json.writeEndArray();
    }
    if (result.bestOf() != null) {
      json.writeObjectFieldStart("best_of");
      json.writeNumberField("responses", result.bestOf().responses());
      write("together", result.bestOf().together());
      write("one_by_one", result.bestOf().oneByOne());
      json.writeNumberField("ratio", result.bestOf().ratio());
      json.writeEndObject();
    }
    if (result.latency() != null) {
      latency(result.latency());
    }
    if (result.reuse() != null) {
      reuse(result.reuse());
    }
  }

  private void limits(BenchResult.Limits limits) throws IOException {
    json.writeStringField(
        "peak_instruction", limits.peak().map(Hardware.Peak::instruction).orElse(null));
    write("peak_flops", limits.peak().stream().mapToDouble(Hardware.Peak::operations).findFirst());
    write("peak_bandwidth", limits.memory());
  }

  private void latency(BenchResult.Latency latency) throws IOException {
    BenchTimes times = latency.figure().times();
    json.writeObjectFieldStart("latency");
    json.writeNumberField("tokens", latency.tokens());
    json.writeNumberField("p50", times.median());
    json.writeNumberField("p90", times.percentile(0.9));
    json.writeNumberField("p99", times.percentile(0.99));
    json.writeNumberField("max", times.longest());
    write(latency.figure());
    json.writeEndObject();
  }

  private void reuse(BenchResult.Reuse reuse) throws IOException {
    json.writeObjectFieldStart("reuse");
    json.writeNumberField("tokens", reuse.tokens());
    json.writeNumberField("edited_tokens", reuse.editedTokens());
    write("full", reuse.full());
    write("edit", reuse.edit());
    json.writeNumberField("edit_ratio", reuse.editRatio());
    json.writeNumberField("responses", reuse.responses());
    write("first", reuse.first());
    write("again", reuse.again());
    json.writeNumberField("again_ratio", reuse.againRatio());
    json.writeEndObject();
  }

  private void write(String name, BenchFigure figure) throws IOException {
    json.writeObjectFieldStart(name);
    write(figure);
    json.writeEndObject();
  }

  private void write(BenchFigure figure) throws IOException {
    json.writeNumberField("seconds", figure.times().median());
    json.writeNumberField("repetitions", figure.times().repetitions());
    json.writeNumberField("texts", figure.texts());
    json.writeNumberField("tokens_asked", figure.tokensAsked());
    json.writeNumberField("tokens_computed", figure.tokensComputed());
    json.writeNumberField("tokens_per_second", figure.tokensPerSecond());
    json.writeNumberField("rewards_per_second", figure.rewardsPerSecond());
    json.writeNumberField("flops", figure.operationsPerSecond());
    write("share_of_peak", result.shareOfPeak(figure));
    json.writeNumberField("bandwidth", figure.bytesPerSecond());
    write("share_of_bandwidth", result.shareOfMemory(figure));
  }

  /** A number, or null where it is not known. */
  private void write(String name, OptionalDouble number) throws IOException {
    if (number.isPresent()) {
      json.writeNumberField(name, number.getAsDouble());
    } else {
      json.writeNullField(name);
    }
  }
}
