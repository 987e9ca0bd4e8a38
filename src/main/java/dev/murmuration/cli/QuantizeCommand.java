package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantization;
import dev.murmuration.quantize.Quantizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.UsageMessageSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code murmur quantize}. */
@Command(
    name = "quantize",
    header = "Makes a GGUF file smaller and faster.",
    description = {
      "",
      "Writes a copy of a model with its weights in fewer bits. The value head, the tokenizer and"
          + " all other metadata stay as they are, bit for bit. The file appears when it is"
          + " complete and checked.",
      "",
      "Examples:",
      "  murmur quantize rm-f16.gguf rm-q8.gguf --type Q8_0",
      "  murmur quantize rm-f16.gguf rm-q4.gguf --type Q4_K_M"
    })
final class QuantizeCommand extends TerminalCommand {
  @Mixin private final JsonOption json = new JsonOption();

  @Mixin private final ThreadsOption threads = new ThreadsOption();

  @Parameters(index = "0", paramLabel = "IN.gguf", description = "The model, in F32, F16 or BF16.")
  private Path input;

  @Parameters(index = "1", paramLabel = "OUT.gguf", description = "The file to write.")
  private Path output;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      order = HelpLayout.MODEL + 21,
      converter = QuantizationTypes.class,
      completionCandidates = QuantizationTypes.Names.class,
      description = "How weights are stored; see below.")
  private QuantizationType type;

  @Option(
      names = "--force",
      order = HelpLayout.MODEL + 22,
      description = "Replace OUT.gguf if it is there.")
  private boolean force;

  @Option(
      names = "--allow-requantize",
      order = HelpLayout.MODEL + 23,
      description =
          "Quantize what is quantized already. That adds up the errors; the F16 file gives better"
              + " results.")
  private boolean allowRequantize;

  /** The types are listed when the help is shown, and not loaded before. */
  @Spec
  void setSpec(CommandSpec spec) {
    spec.usageMessage()
        .sectionMap()
        .put(UsageMessageSpec.SECTION_KEY_FOOTER, help -> QuantizationTypes.list(help));
  }

  QuantizeCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    passOnLog();
    QuantizationType chosen = type == null ? QuantizationType.DEFAULT : type;
    Quantizer quantizer =
        Quantizer.of(input)
            .type(chosen)
            .threads(threads.count())
            .force(force)
            .allowRequantize(allowRequantize);
    Quantization done = run(quantizer);
    if (json.json) {
      print(done);
    } else {
      terminal()
          .note(
              String.format(
                  Locale.ROOT,
                  "wrote %s: %s, %s (before: %s), %.2f bits per weight",
                  output,
                  chosen,
                  Numbers.bytes(done.bytesWritten()),
                  Numbers.bytes(done.bytesRead()),
                  done.bitsPerWeight()));
    }
    return ExitCode.DONE;
  }

  private Quantization run(Quantizer quantizer) throws IOException {
    try (LoadProgress progress = progress("Quantizing " + input.getFileName())) {
      return quantizer.progress(progress).quantize(output);
    }
  }

  private void print(Quantization done) throws IOException {
    Json.printObject(
        terminal(),
        json -> {
          json.writeStringField("file", done.file().toString());
          json.writeStringField("type", done.type().name());
          json.writeNumberField("tensors", done.tensors());
          json.writeNumberField("bytes_read", done.bytesRead());
          json.writeNumberField("bytes_written", done.bytesWritten());
          json.writeNumberField("bits_per_weight", done.bitsPerWeight());
        });
  }
}
