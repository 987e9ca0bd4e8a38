package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.view.Json;
import dev.murmuration.llama.QuantizationType;
import dev.murmuration.quantize.Quantization;
import dev.murmuration.quantize.Quantizer;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;

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
final class QuantizeCommand implements Callable<Integer>, ModelOptions.User {
  @ParentCommand private Murmur murmur;

  @Parameters(index = "0", paramLabel = "IN.gguf", description = "The model, in F32, F16 or BF16.")
  private Path input;

  @Parameters(index = "1", paramLabel = "OUT.gguf", description = "The file to write.")
  private Path output;

  @Option(
      names = "--type",
      paramLabel = "TYPE",
      order = 1,
      converter = QuantizationTypes.class,
      completionCandidates = QuantizationTypes.Names.class,
      description = "How weights are stored; see below.")
  private QuantizationType type;

  @Option(names = "--force", order = 2, description = "Replace OUT.gguf if it is there.")
  private boolean force;

  @Option(
      names = "--allow-requantize",
      order = 3,
      description =
          "Quantize what is quantized already. That adds up the errors; the F16 file gives better"
              + " results.")
  private boolean allowRequantize;

  @Override
  public Set<String> modelOptions() {
    return Set.of("--threads");
  }

  @Override
  public Integer call() throws IOException {
    murmur.passOnLog();
    QuantizationType chosen = type == null ? QuantizationType.DEFAULT : type;
    Quantizer quantizer =
        Quantizer.of(input)
            .type(chosen)
            .threads(murmur.modelOptions().threads())
            .force(force)
            .allowRequantize(allowRequantize);
    Quantization done = run(quantizer);
    if (murmur.json()) {
      print(done);
    } else {
      murmur
          .terminal()
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
    if (!murmur.showsProgress()) {
      return quantizer.quantize(output);
    }
    String task = "Quantizing " + input.getFileName();
    try (LoadProgress progress = new LoadProgress(task, murmur.terminal(), LoadProgress.PATIENCE)) {
      return quantizer.progress(progress).quantize(output);
    }
  }

  private void print(Quantization done) throws IOException {
    Json.printObject(
        murmur.terminal(),
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
