package dev.murmuration.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.llama.Backend;
import dev.murmuration.llama.Device;
import dev.murmuration.llama.Llama;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.util.List;
import java.util.Locale;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code murmur devices}. */
@Command(
    name = "devices",
    header = "Lists what can compute here.",
    description = {
      "",
      "The processor, and the GPUs that this build of llama.cpp can use. A device's name is what"
          + " --device takes.",
      "",
      "Examples:",
      "  murmur devices",
      "  murmur devices --json"
    })
final class DevicesCommand extends TerminalCommand {
  private static final Pattern FEATURE = Pattern.compile("\\s*[|:]\\s*");

  @Mixin private final JsonOption json = new JsonOption();

  DevicesCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    List<Device> devices = Llama.devices();
    if (json.json) {
      Json.printObject(terminal(), json -> write(json, devices));
    } else {
      print(devices, terminal());
    }
    return ExitCode.DONE;
  }

  private static void print(List<Device> devices, Terminal terminal) {
    int width = devices.stream().mapToInt(device -> device.name().length()).max().orElse(0);
    String format = "%-" + Math.max(6, width) + "s  %-11s  %10s  %10s  %s%n";
    terminal.out().printf(format, "device", "kind", "free", "memory", "description");
    for (Device device : devices) {
      terminal
          .out()
          .printf(
              format,
              device.name(),
              kind(device),
              Numbers.gibibytes(device.freeBytes()),
              Numbers.gibibytes(device.totalBytes()),
              Display.visible(device.description()));
    }
    for (Backend backend : Llama.backends()) {
      if (backend.problem() != null) {
        terminal.out().println();
        wrapped("No device of " + backend.name() + ": " + backend.problem() + ".", terminal);
      }
    }
    terminal.out().println();
    wrapped(
        "llama.cpp " + Llama.version() + ", built for: " + String.join(" ", features()), terminal);
    terminal.out().println("kernels: " + kernels());
  }

  private static void wrapped(String text, Terminal terminal) {
    Display.wrap(text, Math.max(20, terminal.columns())).forEach(terminal.out()::println);
  }

  private static void write(JsonGenerator json, List<Device> devices) throws IOException {
    json.writeArrayFieldStart("devices");
    for (Device device : devices) {
      json.writeStartObject();
      json.writeStringField("name", device.name());
      json.writeStringField("kind", kind(device));
      json.writeStringField("description", device.description());
      json.writeNumberField("free_bytes", device.freeBytes());
      json.writeNumberField("total_bytes", device.totalBytes());
      json.writeBooleanField("takes_layers", device.kind().takesLayers());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeArrayFieldStart("backends");
    for (Backend backend : Llama.backends()) {
      json.writeStartObject();
      json.writeStringField("name", backend.name());
      json.writeArrayFieldStart("devices");
      for (String device : backend.devices()) {
        json.writeString(device);
      }
      json.writeEndArray();
      json.writeStringField("problem", backend.problem());
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeStringField("llama_cpp", Llama.version());
    json.writeStringField("kernels", Llama.kernels());
    json.writeArrayFieldStart("features");
    for (String feature : features()) {
      json.writeString(feature);
    }
    json.writeEndArray();
    json.writeStringField("build", Version.build());
  }

  private static String kind(Device device) {
    return device.kind().name().toLowerCase(Locale.ROOT).replace('_', ' ');
  }

  /** What computes products of quantized weights on the CPU. */
  static String kernels() {
    return Llama.kernels().isEmpty() ? "llama.cpp's" : Llama.kernels();
  }

  /** What llama.cpp was compiled for: of {@code CPU : SSE3 = 1 | AVX = 1 |} the names. */
  static List<String> features() {
    return FEATURE
        .splitAsStream(Llama.systemInfo())
        .filter(part -> part.endsWith(" = 1"))
        .map(part -> part.substring(0, part.length() - " = 1".length()))
        .distinct()
        .collect(Collectors.toList());
  }
}
