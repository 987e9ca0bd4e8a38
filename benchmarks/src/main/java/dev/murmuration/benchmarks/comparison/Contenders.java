package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.PlainDecode;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.RewardModelOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Who takes part: this library in several ways, and those of the others that are there. What is
 * left out is said on standard error.
 */
final class Contenders implements AutoCloseable {
  private static final String PEERS = "dev.murmuration.benchmarks.peers.";
  static final Path LOGS = Path.of("benchmarks/target/comparison");

  private final Settings settings;
  private final Path tools;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Contender> others = new ArrayList<>();

  /** Computes everything anew. */
  final RewardModel forgetful;

  /** Keeps what earlier calls computed, as it does when nothing is said. */
  final RewardModel remembering;

  /** Reads out in llama.cpp's own way. */
  final RewardModel embeddings;

  /** The oracle. */
  final PlainDecode plain;

  /** With llama.cpp's kernels. */
  final PeerProcess otherKernels;

  /** Null if it is not there. */
  LlamaServer server;

  Contenders(Settings settings, Path tools) throws IOException {
    this.settings = settings;
    this.tools = tools;
    RewardModelOptions options =
        RewardModelOptions.defaults()
            .threads(settings.threads())
            .batchSize(settings.batch())
            .microBatchSize(settings.microBatch());
    try {
      forgetful = opened(RewardModel.load(settings.model(), options.reuse(false)));
      remembering = opened(RewardModel.load(settings.model(), options));
      embeddings =
          opened(RewardModel.load(settings.model(), options.reuse(false).everyOutput(true)));
      plain = opened(new PlainDecode(settings.model(), settings.threads(), Readout.EMBEDDINGS));
      otherKernels = opened(otherKernels(settings));
      others.add(otherKernels);
      startServer();
      startKherud();
      startJlama();
    } catch (IOException | RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** Those beside this library who score eight responses from nothing. */
  List<Contender> others() {
    return others;
  }

  /** llama.cpp's benchmark; null if it is not there. */
  LlamaBench bench() {
    return LlamaBench.of(tools, settings, LOGS);
  }

  private <T extends AutoCloseable> T opened(T resource) {
    open.add(resource);
    return resource;
  }

  /** This library with llama.cpp's kernels. */
  static PeerProcess otherKernels(Settings settings) throws IOException {
    return new PeerProcess(
        Comparison.OTHER_KERNELS,
        OtherKernels.class.getName(),
        List.of("--enable-native-access=ALL-UNNAMED"),
        List.of(
            settings.model().toString(),
            String.valueOf(settings.threads()),
            String.valueOf(settings.batch()),
            String.valueOf(settings.microBatch())),
        text -> new int[0],
        LOGS.resolve("OtherKernels.log"));
  }

  private void startServer() throws IOException {
    Path program = tools.resolve("llama-server");
    if (present(Files.isExecutable(program), "llama-server", "native/tools.sh builds it")) {
      server = opened(new LlamaServer(program, settings, LOGS.resolve("llama-server.log")));
      others.add(server);
    }
  }

  private void startKherud() throws IOException {
    // It computes a text in one piece, which must fit.
    String microBatch = String.valueOf(2 * settings.microBatch());
    startPeer(
        Comparison.KHERUD,
        "KherudPeer",
        List.of(),
        List.of(settings.model().toString(), threads(), microBatch));
  }

  private void startJlama() throws IOException {
    startPeer(
        Comparison.JLAMA,
        "JlamaPeer",
        List.of(
            "--add-modules",
            "jdk.incubator.vector",
            "-Xmx8g",
            "-Djlama.max_batch_size=" + settings.microBatch()),
        List.of(JlamaFiles.folder(settings.model()).toString(), threads()));
  }

  private String threads() {
    return String.valueOf(settings.threads());
  }

  private void startPeer(
      String name, String mainClass, List<String> options, List<String> arguments)
      throws IOException {
    if (present(onClassPath(PEERS + mainClass), name, "the Maven profile 'measure' brings it")) {
      List<String> allOptions = new ArrayList<>(options);
      allOptions.add("--enable-native-access=ALL-UNNAMED");
      Path log = LOGS.resolve(mainClass + ".log");
      others.add(
          opened(
              new PeerProcess(
                  name, PEERS + mainClass, allOptions, arguments, plain::tokenize, log)));
    }
  }

  private static boolean onClassPath(String name) {
    try {
      Class.forName(name, false, Contenders.class.getClassLoader());
      return true;
    } catch (ClassNotFoundException e) {
      return false;
    }
  }

  static boolean present(boolean present, String what, String how) {
    if (!present) {
      System.err.println("left out: " + what + " (" + how + ")");
    }
    return present;
  }

  @Override
  public void close() {
    for (AutoCloseable resource : open.reversed()) {
      try {
        resource.close();
      } catch (Exception e) {
        System.err.println(resource + " could not be closed: " + e);
      }
    }
  }
}
