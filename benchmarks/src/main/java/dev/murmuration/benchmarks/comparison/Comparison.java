package dev.murmuration.benchmarks.comparison;

import dev.murmuration.benchmarks.Callers;
import dev.murmuration.benchmarks.EditedText;
import dev.murmuration.benchmarks.Environment;
import dev.murmuration.benchmarks.Models;
import dev.murmuration.benchmarks.PlainDecode;
import dev.murmuration.benchmarks.Texts;
import dev.murmuration.benchmarks.comparison.Results.Measurement;
import dev.murmuration.benchmarks.comparison.Results.Task;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.LlamaHyperparameters;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.reward.Options;
import dev.murmuration.reward.Plan;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * This library beside others over the same weights, in one run: each round lets all contenders take
 * turns on texts that none has seen, so that a slow moment of the machine hits all of them. Before
 * that each is checked to compute the same.
 *
 * <p>llama.cpp's programs and the libraries of others run in processes of their own, which end with
 * this one. Those that are not there are left out, and that is said.
 */
public final class Comparison implements AutoCloseable {
  public static final String OURS = "murmuration";
  public static final String ONE_BY_ONE = "murmuration, one by one";
  public static final String AGAIN = "murmuration, the same again";
  public static final String EMBEDDINGS = "murmuration, embeddings = true";
  public static final String SERVER = "llama-server, one request";
  public static final String KHERUD = "de.kherud:llama, one by one";
  public static final String JLAMA = "jlama, one by one";
  public static final String SERVER_AGAIN = "llama-server, the same again";
  public static final String BENCH = "llama-bench";
  public static final String CALLERS = "32 callers";
  public static final String SCORE_ALL = "one scoreAll";
  public static final String EDIT = "edit in a session";
  public static final String FULL = "full score";

  private static final String PEERS = "dev.murmuration.benchmarks.peers.";
  private static final Path LOGS = Path.of("benchmarks/target/comparison");
  private static final int BATCH = 2048;
  private static final int MICRO_BATCH = 512;
  private static final int[] LENGTHS = {64, 512, 2048};
  private static final int CONCURRENT = 32;

  private final Settings settings;
  private final Path tools;
  private final int rounds;
  private final List<AutoCloseable> open = new ArrayList<>();
  private final List<Measurement> measurements = new ArrayList<>();
  private final List<Contender> contenders = new ArrayList<>();

  private final RewardModel forgetful;
  private final RewardModel remembering;
  private final RewardModel embeddings;
  private final PlainDecode plain;
  private LlamaServer server;

  private Comparison(Settings settings, Path tools, int rounds) throws IOException {
    this.settings = settings;
    this.tools = tools;
    this.rounds = rounds;
    Options options =
        Options.defaults().threads(settings.threads()).batchSize(BATCH).microBatchSize(MICRO_BATCH);
    try {
      forgetful = opened(RewardModel.load(settings.model(), options.reuse(false)));
      remembering = opened(RewardModel.load(settings.model(), options));
      embeddings =
          opened(
              RewardModel.load(settings.model(), options.reuse(false).readout(Readout.EMBEDDINGS)));
      plain = opened(new PlainDecode(settings.model(), settings.threads(), Readout.EMBEDDINGS));
      contenders.add(Ours.together(OURS, forgetful));
      contenders.add(Ours.oneByOne(ONE_BY_ONE, forgetful));
      startServer();
      startKherud();
      startJlama();
    } catch (IOException | RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /**
   * {@code Comparison MODEL TOOLS ROUNDS RESULTS.json}; without a look at the others: {@code -}.
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 4) {
      System.err.println("usage: Comparison MODEL TOOLS ROUNDS RESULTS.json");
      System.exit(2);
    }
    Path model = Models.file(args[0]);
    int threads = Runtime.getRuntime().availableProcessors();
    Settings settings = new Settings(model, threads, BATCH, MICRO_BATCH);
    Environment environment = Environment.now();
    try (Comparison comparison =
        new Comparison(settings, Path.of(args[1]), Integer.parseInt(args[2]))) {
      comparison.run(environment).write(Path.of(args[3]));
    }
    System.err.println("written: " + args[3]);
  }

  // ---- who takes part ----

  private <T extends AutoCloseable> T opened(T resource) {
    open.add(resource);
    return resource;
  }

  private void startServer() throws IOException {
    Path program = tools.resolve("llama-server");
    if (present(Files.isExecutable(program), "llama-server", "native/tools.sh builds it")) {
      server = opened(new LlamaServer(program, settings, LOGS.resolve("llama-server.log")));
      contenders.add(server);
    }
  }

  private void startKherud() throws IOException {
    if (presentPeer("KherudPeer")) {
      // It computes a text in one piece, which must fit.
      List<String> arguments =
          List.of(
              settings.model().toString(),
              String.valueOf(settings.threads()),
              String.valueOf(2 * settings.microBatch()));
      startPeer(KHERUD, "KherudPeer", List.of(), arguments);
    }
  }

  private void startJlama() throws IOException {
    if (presentPeer("JlamaPeer")) {
      startPeer(
          JLAMA,
          "JlamaPeer",
          List.of(
              "--add-modules",
              "jdk.incubator.vector",
              "-Xmx8g",
              "-Djlama.max_batch_size=" + settings.microBatch()),
          List.of(
              JlamaFiles.folder(settings.model()).toString(), String.valueOf(settings.threads())));
    }
  }

  private void startPeer(
      String name, String mainClass, List<String> options, List<String> arguments)
      throws IOException {
    List<String> all = new ArrayList<>(options);
    all.add("--enable-native-access=ALL-UNNAMED");
    Path log = LOGS.resolve(mainClass + ".log");
    contenders.add(
        opened(new PeerProcess(name, PEERS + mainClass, all, arguments, plain::tokenize, log)));
  }

  private boolean presentPeer(String mainClass) {
    boolean present;
    try {
      Class.forName(PEERS + mainClass, false, Comparison.class.getClassLoader());
      present = true;
    } catch (ClassNotFoundException e) {
      present = false;
    }
    return present(present, mainClass, "the Maven profile 'measure' brings it");
  }

  private static boolean present(boolean present, String what, String how) {
    if (!present) {
      System.err.println("left out: " + what + " (" + how + ")");
    }
    return present;
  }

  // ---- the measurement ----

  private Results run(Environment environment) throws IOException {
    List<Results.Agreement> checks = warmUp();
    Plan plan = forgetful.explain(new Texts(0).bestOf8().conversations());
    for (int round = 1; round <= rounds; round++) {
      System.err.println("round " + round + " of " + rounds);
      bestOf8(round);
      prefill(round);
      sessionEdit(round);
      concurrency(round);
    }
    LlamaHyperparameters shape = LlamaHyperparameters.validate(Gguf.read(settings.model()));
    return new Results(
        environment,
        new Results.Model(
            settings.model().getFileName().toString(),
            Gguf.read(settings.model()).string("general.name").orElse(""),
            Files.size(settings.model()),
            shape.parameterCount(),
            shape.layers(),
            shape.hiddenSize()),
        settings.threads(),
        settings.batch(),
        settings.microBatch(),
        rounds,
        plan.toString(),
        plan.tokensComputed(),
        measurements,
        checks);
  }

  /** Lets everyone compute once, and looks at what. */
  private List<Results.Agreement> warmUp() throws IOException {
    System.err.println("warm-up and checks");
    Texts.BestOf eight = new Texts(0).bestOf8();
    Agreements agreements = new Agreements(plain, eight);
    for (Contender contender : contenders) {
      agreements.check(contender.name(), contender.answer(eight));
    }
    for (Contender again :
        List.of(Ours.together(OURS, remembering), Ours.together(AGAIN, remembering))) {
      agreements.check(again.name() + " (reuse)", again.answer(eight));
    }
    agreements.check(EMBEDDINGS, Ours.together(EMBEDDINGS, embeddings).answer(eight));
    return agreements.all();
  }

  private void bestOf8(int round) throws IOException {
    Texts.BestOf eight = new Texts(round).bestOf8();
    List<Contender> turns = new ArrayList<>(contenders);
    Collections.rotate(turns, -round);
    int tokens = Texts.bestOf8Tokens();
    for (Contender contender : turns) {
      add(Task.BEST_OF_8, contender.name(), tokens, contender.answer(eight).seconds());
      if (contender == server) {
        add(Task.BEST_OF_8, SERVER_AGAIN, tokens, server.answer(eight).seconds());
      }
    }
    Ours ours = Ours.together(AGAIN, remembering);
    ours.answer(eight);
    add(Task.BEST_OF_8, AGAIN, tokens, ours.answer(eight).seconds());
  }

  private void prefill(int round) throws IOException {
    LlamaBench bench =
        new LlamaBench(tools.resolve("llama-bench"), settings, LOGS.resolve("llama-bench.log"));
    boolean present =
        present(Files.isExecutable(bench.program()), BENCH, "native/tools.sh builds it");
    for (int tokens : LENGTHS) {
      String text = new Texts(1000L * round + tokens).text(tokens);
      if (present) {
        add(Task.PREFILL, BENCH, tokens, bench.prefill(tokens));
      }
      add(Task.PREFILL, OURS, tokens, seconds(() -> forgetful.scoreText(text)));
      add(Task.PREFILL, EMBEDDINGS, tokens, seconds(() -> embeddings.scoreText(text)));
    }
  }

  private void sessionEdit(int round) {
    EditedText text = new EditedText(round);
    ScoringSession session = remembering.session().prompt(text.prompt());
    session.score(text.edit());
    String edited = text.edit();
    add(Task.SESSION_EDIT, EDIT, EditedText.TOKENS, seconds(() -> session.score(edited)));
    add(
        Task.SESSION_EDIT,
        FULL,
        EditedText.TOKENS,
        seconds(() -> forgetful.score(text.prompt(), edited)));
  }

  private void concurrency(int round) {
    List<String> texts = Callers.texts(new Texts(round));
    int tokens = texts.stream().mapToInt(text -> plain.tokenize(text).length).sum();
    Callers.Outcome outcome = Callers.score(forgetful, CONCURRENT, texts);
    add(Task.CONCURRENCY, CALLERS, tokens, outcome.seconds());
    add(Task.LONGEST_WAIT, CALLERS, tokens, outcome.longestWait() / outcome.fairWait());
    add(Task.CONCURRENCY, SCORE_ALL, tokens, seconds(() -> forgetful.scoreAllTexts(texts)));
  }

  private static double seconds(Runnable task) {
    long start = System.nanoTime();
    task.run();
    return (System.nanoTime() - start) / 1e9;
  }

  private void add(Task task, String contender, int tokens, double value) {
    System.err.printf("  %s, %d tokens, %s: %.3f%n", task, tokens, contender, value);
    for (Measurement measurement : measurements) {
      if (measurement.task() == task
          && measurement.contender().equals(contender)
          && measurement.tokens() == tokens) {
        measurement.values().add(value);
        return;
      }
    }
    measurements.add(new Measurement(task, contender, tokens, new ArrayList<>(List.of(value))));
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
