package dev.murmuration.cli;

import dev.murmuration.cli.doctor.Diagnosis;
import dev.murmuration.cli.doctor.DiagnosisJson;
import dev.murmuration.cli.doctor.DiagnosisText;
import dev.murmuration.cli.doctor.Finding;
import dev.murmuration.cli.doctor.ModelChecks;
import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Json;
import dev.murmuration.memory.ContextRequest;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code murmur doctor}. */
@Command(
    name = "doctor",
    header = "Says whether scoring works here, and if not, why.",
    description = {
      "",
      "Java, the processor and its kernels, GPUs, memory and the limits of control groups, the"
          + " native library and the directory that it is extracted into; at last the embedded"
          + " model scores a text. With -m also whether that model is sound and fits into memory."
          + " Each line is ok, a note or a problem, and says what to do. With --device or -ngl that"
          + " GPU has to score, too.",
      "",
      "Examples:",
      "  murmur doctor",
      "  murmur doctor -m starling-q4.gguf -c 4096",
      "  murmur doctor --device CUDA0",
      "  murmur doctor --json",
      "",
      "The exit code is 1 if scoring does not work."
    })
final class DoctorCommand extends TerminalCommand {
  @Mixin private final JsonOption json = new JsonOption();

  @Mixin private final ContextOptions context = new ContextOptions();

  @Option(
      names = {"-m", "--model"},
      order = HelpLayout.MODEL + 1,
      paramLabel = "FILE",
      description =
          "A model to look at, a GGUF file. Default: what MURMUR_MODEL names, if it does.")
  private Path model;

  DoctorCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    ContextRequest request = context.toRequest();
    try {
      passOnLog();
    } catch (LinkageError e) {
      // The diagnosis says so, and the rest, too.
    }
    Diagnosis diagnosis = Diagnosis.here(devices()).and(model(request));
    if (json.json) {
      Json.printObject(terminal(), json -> DiagnosisJson.write(json, diagnosis));
    } else {
      DiagnosisText.print(diagnosis, terminal());
    }
    return diagnosis.works() ? ExitCode.DONE : ExitCode.FAILED;
  }

  private RewardModelOptions devices() {
    RewardModelOptions options =
        ContextOptions.with(
            RewardModelOptions.defaults(), context.gpuLayers, RewardModelOptions::gpuLayers);
    return ContextOptions.with(options, context.device, RewardModelOptions::device);
  }

  private Optional<Finding> model(ContextRequest request) {
    try {
      Path file = ModelOptions.file(model, Arguments.fileVariable(ModelOptions.VARIABLE));
      return Optional.ofNullable(file).map(named -> ModelChecks.model(named, request));
    } catch (IOException e) {
      return Optional.of(ModelChecks.unreadable(e));
    }
  }
}
