package dev.murmuration.cli;

import dev.murmuration.cli.terminal.Terminal;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.dataset.OptionalLibrary;
import dev.murmuration.llama.CompilerThreads;
import dev.murmuration.reward.RewardModelOptions;
import dev.murmuration.server.Limits;
import dev.murmuration.server.RewardServer;
import dev.murmuration.server.ServedModel;
import dev.murmuration.server.ServerOptions;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code murmur serve}. */
@Command(
    name = "serve",
    header = "Answers over HTTP: trainers, rerankers, and a page for people.",
    description = {
      "",
      "Speaks the protocols of OpenRLHF, vLLM, SGLang, slime, NeMo-Gym, LLaMA-Factory, of"
          + " rerankers, and its own; docs/server.md lists them. At / there is a page to try texts"
          + " on.",
      "",
      "It listens on this machine alone. On another address it wants a key from its clients. Ctrl-C"
          + " or SIGTERM ends it when it has answered what it had accepted.",
      "",
      "Examples:",
      "  murmur serve --open",
      "  murmur serve -m rm.gguf --port 9000",
      "  murmur serve -m small=a.gguf -m large=b.gguf",
      "  murmur serve --host 0.0.0.0 --api-key-file key.txt"
    })
final class ServeCommand extends TerminalCommand {
  @Option(
      names = {"-m", "--model"},
      order = HelpLayout.MODEL + 1,
      paramLabel = "[NAME=]FILE",
      description =
          "A reward model, a GGUF file, and the name by which requests ask for it; may be given"
              + " several times. Default: what MURMUR_MODEL names, else the small embedded demo"
              + " model.")
  private List<String> models = List.of();

  @Mixin private final LoadOptions load = new LoadOptions();
  @Mixin private final TruncationOption truncation = new TruncationOption();
  @Mixin private final ServerAddressOptions address = new ServerAddressOptions();
  @Mixin private final ServerLimitOptions limits = new ServerLimitOptions();

  @Option(names = "--open", order = 3, description = "Open the page in a browser.")
  private boolean open;

  ServeCommand(Terminal terminal) {
    super(terminal);
  }

  @Override
  public Integer call() throws IOException {
    OptionalLibrary.require("io.helidon.webserver.WebServer");
    OptionalLibrary.require("io.prometheus.metrics.core.metrics.Counter");
    // First, because it checks the queue as well.
    Limits checked = limits.toLimits();
    RewardModelOptions options =
        load.toOptions().truncate(!truncation.noTruncate).queueCapacity(limits.queue());
    ServerOptions server = address.toOptions(checked, terminal());
    List<ServedFile> files = ServedFile.all(models);
    if (files.size() > 1) {
      ServedFile.requireMemory(files, load.context.toRequest());
    }
    load.threads.note(terminal());
    passOnLog();
    List<ServedModel> loaded = new ArrayList<>();
    try {
      for (ServedFile file : files) {
        loaded.add(file.load(options, this::progress, terminal()));
      }
    } catch (IOException | RuntimeException | Error e) {
      loaded.forEach(ServedModel::close);
      throw e;
    }
    CompilerThreads.giveWay();
    return run(
        new RewardServer(server, loaded, line -> terminal().note(Wording.oneLine(line))), loaded);
  }

  private int run(RewardServer server, List<ServedModel> models) throws IOException {
    Thread onSignal = new Thread(() -> stop(server), "murmur-signal");
    try (server) {
      Runtime.getRuntime().addShutdownHook(onSignal);
      String names = models.stream().map(ServedModel::name).collect(Collectors.joining(", "));
      if (!terminal().quiet()) {
        terminal().err().println("Serving " + names + " on " + server.url());
      }
      if (open) {
        Browser.open(server.url(), terminal());
      }
      server.await();
      return ExitCode.DONE;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return ExitCode.DONE;
    } finally {
      removeHook(onSignal);
    }
  }

  /** Ends as a server should that was told to: in good order. */
  private void stop(RewardServer server) {
    terminal().note("ending; what was accepted is answered");
    server.close();
    Runtime.getRuntime().halt(ExitCode.DONE);
  }

  private static void removeHook(Thread hook) {
    try {
      Runtime.getRuntime().removeShutdownHook(hook);
    } catch (IllegalStateException e) {
      // The JVM is ending and runs it.
    }
  }
}
