package dev.murmuration.cli;

import dev.murmuration.cli.terminal.LoadProgress;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.InspectionJson;
import dev.murmuration.cli.view.InspectionText;
import dev.murmuration.cli.view.Json;
import dev.murmuration.inspection.Inspection;
import dev.murmuration.inspection.Inspector;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.regex.Pattern;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code murmur inspect}. */
@Command(
    name = "inspect",
    header = "Shows what is in a model file or a checkpoint.",
    description = {
      "",
      "Architecture, types of weights, the memory that scoring takes, value head, template,"
          + " tokenizer, and whether all of it is sound. Nothing is loaded or executed. A"
          + " checkpoint is described as it would be converted.",
      "",
      "Examples:",
      "  murmur inspect starling-q4.gguf",
      "  murmur inspect starling-q4.gguf -c 4096 --json",
      "  murmur inspect starling-q4.gguf --weights",
      "  murmur inspect Starling-RM-7B-alpha",
      "",
      "The exit code is 1 if a file is not valid; what could be read of it is shown nevertheless."
    })
final class InspectCommand extends TerminalCommand {
  private static final Pattern CHECKPOINT =
      Pattern.compile("(?i).*\\.(bin|pt|pth|safetensors|json)");

  @Mixin private final JsonOption json = new JsonOption();

  @Mixin private final ContextOptions context = new ContextOptions();

  @Parameters(paramLabel = "FILE", description = "A GGUF file, or the folder of a checkpoint.")
  private Path file;

  @Option(
      names = "--tokenizer",
      paramLabel = "DIR",
      order = HelpLayout.MODEL + 21,
      description = "A checkpoint's tokenizer. Default: the checkpoint's folder.")
  private Path tokenizer;

  @Option(
      names = "--weights",
      order = HelpLayout.MODEL + 22,
      description =
          "Read all the weights of a GGUF file, too, and look for NaN and infinities. Takes as long"
              + " as reading the file.")
  private boolean weights;

  InspectCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    Inspector inspector = new Inspector(file, context.toRequest());
    boolean checkpoint = Files.isDirectory(file) || CHECKPOINT.matcher(file.toString()).matches();
    if (checkpoint && weights) {
      throw new IllegalArgumentException(
          "--weights is for a GGUF file, and " + file + " is a checkpoint; convert it first");
    }
    if (!checkpoint && tokenizer != null) {
      throw new IllegalArgumentException(
          "--tokenizer is for a checkpoint; " + file + " is a GGUF file, which holds its own");
    }
    Inspection found = checkpoint ? inspector.checkpoint(tokenizer) : gguf(inspector);
    if (json.json) {
      Json.printObject(terminal(), json -> InspectionJson.write(json, found));
    } else {
      InspectionText.print(found, terminal());
    }
    return found.valid() ? ExitCode.DONE : ExitCode.FAILED;
  }

  private Inspection gguf(Inspector inspector) throws IOException {
    try (LoadProgress progress = progress("Reading " + file.getFileName())) {
      return inspector.gguf(weights, progress);
    }
  }
}
