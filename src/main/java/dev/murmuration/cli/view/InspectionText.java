package dev.murmuration.cli.view;

import dev.murmuration.cli.terminal.Colour;
import dev.murmuration.cli.terminal.Display;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.inspection.InspectedMetadata;
import dev.murmuration.inspection.Inspection;
import dev.murmuration.memory.DeviceNeed;
import dev.murmuration.memory.MemoryNeed;
import dev.murmuration.memory.MemoryPolicy;
import dev.murmuration.model.RewardMetadata;
import dev.murmuration.reward.Precision;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/** What was found, for people: a label and a value a line, and two small tables. */
public final class InspectionText {
  private static final int LABEL = 13;

  private final Inspection found;
  private final InspectedMetadata details;
  private final Terminal terminal;

  private InspectionText(Inspection found, Terminal terminal) {
    this.found = found;
    this.details = found.details();
    this.terminal = terminal;
  }

  public static void print(Inspection found, Terminal terminal) {
    new InspectionText(found, terminal).print();
  }

  private void print() {
    boolean gguf = found.format().equals("gguf");
    line("file", found.file());
    line("format", (gguf ? "GGUF, " : "checkpoint, ") + Numbers.bytes(found.bytes()));
    validity();
    line("name", details.text("general.name"));
    line("architecture", details.text("general.architecture"));
    shapes();
    types();
    memory(gguf);
    head();
    template();
    tokenizer();
    decisions();
  }

  private void validity() {
    String good = found.format().equals("gguf") ? "yes" : "yes: it can be converted";
    line(
        "valid",
        found.valid() ? good : "no: " + Wording.problem(found),
        found.valid() ? Colour.GREEN : Colour.RED);
  }

  private void shapes() {
    Map<String, Number> shapes = found.shapes();
    if (shapes.isEmpty()) {
      return;
    }
    line("layers", number(shapes, "layers") + " of hidden size " + number(shapes, "hidden_size"));
    line("feed-forward", number(shapes, "feed_forward_size"));
    line(
        "attention",
        number(shapes, "heads")
            + " heads of size "
            + number(shapes, "head_size")
            + ", "
            + number(shapes, "key_value_heads")
            + " for keys and values");
    if (shapes.containsKey("sliding_window")) {
      line(
          "window",
          number(shapes, "sliding_window") + " tokens on every other layer, from the first");
    }
    if (shapes.containsKey("attention_soft_cap")) {
      line("soft cap", shapes.get("attention_soft_cap") + " for attention's dot products");
    }
    line("context", number(shapes, "context_length") + " tokens");
    if (found.parameters() > 0) {
      line("parameters", grouped(found.parameters()));
    }
  }

  private static String number(Map<String, Number> numbers, String name) {
    return numbers.containsKey(name) ? grouped(numbers.get(name).longValue()) : "?";
  }

  private static String grouped(long number) {
    return String.format(Locale.ROOT, "%,d", number);
  }

  private void types() {
    if (found.types().isEmpty()) {
      return;
    }
    long all = Math.max(1, found.types().stream().mapToLong(Inspection.TypeShare::bytes).sum());
    String format = "  %-8s %8s %12s %9s";
    terminal.out().println();
    terminal
        .out()
        .println(
            Colour.DIM.of(String.format(format, "type", "tensors", "size", "share"), terminal));
    for (Inspection.TypeShare share : found.types()) {
      terminal
          .out()
          .println(
              String.format(
                  Locale.ROOT,
                  format,
                  share.type(),
                  share.tensors(),
                  Numbers.bytes(share.bytes()),
                  Numbers.percent((double) share.bytes() / all)));
    }
  }

  private void memory(boolean gguf) {
    if (found.memory().isEmpty()) {
      return;
    }
    MemoryNeed any = found.memory().values().iterator().next();
    String format = "  %-6s %7s %10s %10s %10s %10s";
    terminal.out().println();
    terminal
        .out()
        .println(
            "Memory at "
                + grouped(any.contextLength())
                + " tokens"
                + (gguf ? ":" : ", converted to F16:"));
    terminal
        .out()
        .println(
            Colour.DIM.of(
                String.format(format, "", "cells", "weights", "cache", "buffers", "total"),
                terminal));
    for (Map.Entry<Precision, MemoryNeed> entry : found.memory().entrySet()) {
      MemoryNeed need = entry.getValue();
      terminal
          .out()
          .println(
              String.format(
                  format,
                  entry.getKey().label(),
                  grouped(need.cells()),
                  Numbers.bytes(need.weights() + need.repacked()),
                  Numbers.bytes(need.cache()),
                  Numbers.bytes(need.buffers()),
                  Numbers.bytes(need.total())));
    }
    devices(any);
    if (any.repacked() > 0) {
      paragraph(
          "Of the weights, "
              + Numbers.bytes(any.repacked())
              + " are a copy in the order of this processor's kernels; its original in the file is"
              + " dropped when memory is short.");
    }
    paragraph(
        "That is the most: the cache grows with the work, unless --kv-cells fixes it. Java and"
            + " llama.cpp themselves take up to "
            + Numbers.bytes(MemoryPolicy.OVERHEAD)
            + " more; "
            + Numbers.bytes(any.available())
            + " are free.");
    found.memory().forEach((precision, need) -> refusal(precision, need));
    terminal.out().println();
  }

  private void devices(MemoryNeed any) {
    if (any.devices().isEmpty()) {
      return;
    }
    String format = "  %-6s %-9s %6s %10s %10s %10s %10s %10s";
    terminal.out().println();
    String said =
        Numbers.counted(any.hostLayers(), "layer")
            + (any.hostLayers() == 1 ? " stays" : " stay")
            + " on the CPU, whose memory that is. Of GPUs it takes:";
    Display.wrap(said, Math.max(20, terminal.columns())).forEach(terminal.out()::println);
    terminal
        .out()
        .println(
            Colour.DIM.of(
                String.format(
                    format, "", "device", "layers", "weights", "cache", "buffers", "total", "free"),
                terminal));
    found
        .memory()
        .forEach(
            (precision, need) ->
                need.devices()
                    .forEach(
                        device ->
                            terminal.out().println(String.format(format, row(precision, device)))));
    terminal.out().println();
  }

  private static Object[] row(Precision precision, DeviceNeed device) {
    return new Object[] {
      precision.label(),
      Display.visible(device.device()),
      device.layers(),
      Numbers.bytes(device.weights()),
      Numbers.bytes(device.cache()),
      Numbers.bytes(device.buffers()),
      Numbers.bytes(device.total()),
      Numbers.bytes(device.free())
    };
  }

  private void refusal(Precision precision, MemoryNeed need) {
    if (need.refusal() != null) {
      paragraph("--precision " + precision.label() + " would be refused: " + Wording.refusal(need));
    }
  }

  private void paragraph(String text) {
    for (String part : Display.wrap(text, Math.max(20, terminal.columns() - 2))) {
      terminal.out().println("  " + part);
    }
  }

  private void head() {
    line("family", orElse(details.text(RewardMetadata.FAMILY), "not named in the file"));
    InspectedMetadata.Head head = details.head();
    if (details.network() != null) {
      line("value head", details.network());
      return;
    }
    if (head == null) {
      if (found.valid()) {
        line("value head", "none; --value-head FILE gives one");
      }
      return;
    }
    line(
        "value head",
        String.format(
            Locale.ROOT,
            "%d weights, %.4g to %.4g, mean %.4g, norm %.4g",
            head.length(),
            head.least(),
            head.most(),
            head.mean(),
            head.norm()));
  }

  private void template() {
    line("template", orElse(details.text(RewardMetadata.TEMPLATE), templateOfNoName()));
    Long pad = details.number(RewardMetadata.READOUT_PAD);
    String readout =
        orElse(details.text(RewardMetadata.READOUT), RewardMetadata.LAST_TOKEN + ", the default");
    line("readout", pad == null ? readout : readout + ", padding token " + pad);
    line("told day", details.text(RewardMetadata.TEMPLATE_DATE));
    Long length = details.number(RewardMetadata.MAX_LENGTH);
    line("max length", length == null ? null : grouped(length) + " tokens");
  }

  /** What scoring takes where the file names none. */
  private String templateOfNoName() {
    if (details.text(RewardMetadata.CHAT_TEMPLATE) != null) {
      return RewardMetadata.TOKENIZER_TEMPLATE + ", the default";
    }
    return "llama".equals(details.text("tokenizer.ggml.model"))
        ? "llama2, the default"
        : "none; --template NAME chooses one";
  }

  /** What a sound file means by saying nothing; nothing is known of another. */
  private String orElse(String said, String otherwise) {
    return said == null && found.valid() ? otherwise : said;
  }

  private void tokenizer() {
    String kind = details.text("tokenizer.ggml.model");
    Integer tokens = details.tokens();
    if (kind != null && tokens != null) {
      String name =
          kind.equals("llama")
              ? "SentencePiece"
              : "byte-level BPE, " + details.text("tokenizer.ggml.pre");
      line("tokenizer", name + ", " + grouped(tokens) + " tokens");
    }
    Boolean bos = details.flag("tokenizer.ggml.add_bos_token");
    Boolean eos = details.flag("tokenizer.ggml.add_eos_token");
    if (bos != null || eos != null) {
      line("adds", "BOS " + yes(bos) + ", EOS " + yes(eos));
    }
    line("normalizer", details.text(RewardMetadata.NORMALIZER));
    if (!details.tokenIds().isEmpty()) {
      line(
          "special ids",
          details.tokenIds().entrySet().stream()
              .map(entry -> entry.getKey() + " " + entry.getValue())
              .collect(Collectors.joining(", ")));
    }
  }

  private static String yes(Boolean flag) {
    return flag == null ? "not said" : flag ? "yes" : "no";
  }

  private void decisions() {
    if (!found.decisions().isEmpty()) {
      terminal.out().println();
      terminal.out().println("Converting would decide:");
      DecisionsText.lines(found.decisions(), terminal.columns()).forEach(terminal.out()::println);
    }
  }

  private void line(String label, String value) {
    line(label, value, null);
  }

  /** Wraps at the terminal's edge; what is not known has no line. */
  private void line(String label, String value, Colour colour) {
    if (value == null) {
      return;
    }
    int columns = Math.max(20, terminal.columns() - LABEL);
    String start = String.format("%-" + LABEL + "s", label);
    for (String part : Display.wrap(Display.visible(value), columns)) {
      String shown = colour == null ? part : colour.of(part, terminal);
      terminal.out().println(Colour.DIM.of(start, terminal) + shown);
      start = " ".repeat(LABEL);
    }
  }
}
