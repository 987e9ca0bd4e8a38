package dev.murmuration.benchmarks.comparison;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.benchmarks.Callers;
import dev.murmuration.benchmarks.EditedText;
import dev.murmuration.benchmarks.Environment;
import dev.murmuration.benchmarks.Models;
import dev.murmuration.benchmarks.Texts;
import dev.murmuration.benchmarks.comparison.Results.Measurement;
import dev.murmuration.benchmarks.comparison.Results.Task;
import dev.murmuration.gguf.Gguf;
import dev.murmuration.gguf.GgufReader;
import dev.murmuration.model.ModelCheck;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import dev.murmuration.reward.ScoringCost;
import dev.murmuration.reward.ScoringSession;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * This library beside others over the same weights, in one run: each round lets all contenders take
 * turns on texts that none has seen, so that a slow moment of the machine hits all of them. Before
 * that each is checked to compute the same.
 */
public final class Comparison {
  public static final String OURS = "murmuration";
  public static final String ONE_BY_ONE = "murmuration, one by one";
  public static final String AGAIN = "murmuration, the same again";
  public static final String EMBEDDINGS = "murmuration, embeddings = true";
  public static final String OTHER_KERNELS = "murmuration with llama.cpp's kernels";
  public static final String IK = "ik_llama.cpp";
  public static final String IK_REPACKED = "ik_llama.cpp, repacked";
  public static final String SERVER = "llama-server, one request";
  public static final String SERVER_AGAIN = "llama-server, the same again";
  public static final String KHERUD = "de.kherud:llama, one by one";
  public static final String JLAMA = "jlama, one by one";
  public static final String BENCH = "llama-bench";
  public static final String CALLERS = "32 callers";
  public static final String SCORE_ALL = "one scoreAll";
  public static final String EDIT = "edit in a session";
  public static final String FULL = "full score";

  private static final int BATCH = 2048;
  private static final int MICRO_BATCH = 512;
  private static final int[] LENGTHS = {64, 512, 2048};
  private static final int CONCURRENT = 32;

  /** Tokens of a prefill measurement, at least: short texts are repeated. */
  private static final int PREFILLED = 1024;

  /** Turns of a prefill measurement in a round, times tokens. */
  private static final int TURNS = 256;

  /** Seconds for the eight texts, over which a contender takes part in the first round only. */
  private static final double SLOW = 120;

  private final Contenders contenders;
  private final LlamaBench bench;
  private final Set<Contender> slow = new HashSet<>();
  private final List<Measurement> measurements = new ArrayList<>();
  private final Machine machine;

  /** What is measured once the machine is there for it. */
  @FunctionalInterface
  private interface Turn {
    double take() throws IOException;
  }

  private Comparison(Contenders contenders, Machine machine) {
    this.machine = machine;
    this.contenders = contenders;
    this.bench = contenders.bench();
  }

  /** {@code Comparison MODEL TOOLS ROUNDS RESULTS.json}. */
  public static void main(String[] args) throws IOException {
    if (args.length != 4) {
      System.err.println("usage: Comparison MODEL TOOLS ROUNDS RESULTS.json");
      System.exit(2);
    }
    int rounds = Integer.parseInt(args[2]);
    int threads = Runtime.getRuntime().availableProcessors();
    Settings settings = new Settings(Models.file(args[0]), threads, BATCH, MICRO_BATCH);
    Environment environment = Environment.now();
    try (Contenders contenders = new Contenders(settings, Path.of(args[1]));
        Machine machine = new Machine(System.getProperty("comparison.lock", ""))) {
      Comparison comparison = new Comparison(contenders, machine);
      List<Results.Agreement> checks = comparison.warmUp();
      for (int round = 1; round <= rounds; round++) {
        System.err.println("round " + round + " of " + rounds);
        comparison.run(round);
      }
      ScoringCost plan = contenders.forgetful.explain(new Texts(0).bestOf8().conversations());
      new Results(
              environment,
              model(settings.model()),
              settings.threads(),
              settings.batch(),
              settings.microBatch(),
              rounds,
              plan.toString(),
              plan.tokensComputed(),
              comparison.measurements,
              checks)
          .write(Path.of(args[3]));
    }
    System.err.println("written: " + args[3]);
  }

  static Results.Model model(Path file) throws IOException {
    Gguf gguf = GgufReader.read(file);
    ModelShape shape = ModelCheck.check(gguf);
    return new Results.Model(
        file.getFileName().toString(),
        gguf.string("general.name").orElse(""),
        Files.size(file),
        shape.parameterCount(),
        shape.layers(),
        shape.hiddenSize());
  }

  /** Lets everyone compute once, and looks at what. */
  private List<Results.Agreement> warmUp() throws IOException {
    System.err.println("warm-up and checks");
    Texts.BestOf eight = new Texts(0).bestOf8();
    Agreements agreements = new Agreements(contenders.plain, eight);
    List<Contender> all = new ArrayList<>();
    all.add(Ours.together(OURS, contenders.forgetful));
    all.add(Ours.oneByOne(ONE_BY_ONE, contenders.forgetful));
    all.addAll(contenders.others());
    all.add(Ours.together("murmuration, reuse", contenders.remembering));
    all.add(Ours.together(AGAIN, contenders.remembering));
    all.add(Ours.together(EMBEDDINGS, contenders.embeddings));
    for (Contender contender : all) {
      machine.take();
      Contender.Answer answer = contender.answer(eight);
      agreements.check(contender.name(), answer);
      if (answer.seconds() > SLOW) {
        slow.add(contender);
      }
    }
    return agreements.all();
  }

  private void run(int round) throws IOException {
    bestOf8(round);
    prefill(round);
    sessionEdit(round);
    concurrency(round);
  }

  private void bestOf8(int round) throws IOException {
    Texts.BestOf eight = new Texts(round).bestOf8();
    Contender together = Ours.together(OURS, contenders.forgetful);
    Contender oneByOne = Ours.oneByOne(ONE_BY_ONE, contenders.forgetful);
    Contender other = contenders.otherKernels;
    for (Contender ours : List.of(together, oneByOne, other, other, oneByOne, together)) {
      bestOf8(ours, eight);
    }
    List<Contender> turns = new ArrayList<>(contenders.others());
    turns.remove(other);
    if (round > 1) {
      turns.removeAll(slow);
    }
    Collections.rotate(turns, -round);
    for (Contender contender : turns) {
      bestOf8(contender, eight);
      if (contender == contenders.server) {
        add(
            Task.BEST_OF_8,
            SERVER_AGAIN,
            Texts.bestOf8Tokens(),
            () -> contender.answer(eight).seconds());
      }
    }
    Ours again = Ours.together(AGAIN, contenders.remembering);
    again.answer(eight);
    bestOf8(again, eight);
  }

  private void bestOf8(Contender contender, Texts.BestOf eight) throws IOException {
    add(
        Task.BEST_OF_8,
        contender.name(),
        Texts.bestOf8Tokens(),
        () -> contender.answer(eight).seconds());
  }

  /**
   * There and back again: what the machine gains or loses meanwhile falls on both alike. Several
   * times with short texts, on which a moment's trouble weighs more.
   */
  private void prefill(int round) throws IOException {
    for (int tokens : LENGTHS) {
      Texts texts = new Texts(1000L * round + tokens);
      for (int turn = 0; turn < Math.max(1, TURNS / tokens); turn++) {
        benchPrefill(tokens);
        ourPrefill(OURS, contenders.forgetful, texts, tokens);
        otherPrefill(texts, tokens);
        ourPrefill(EMBEDDINGS, contenders.embeddings, texts, tokens);
        otherPrefill(texts, tokens);
        ourPrefill(OURS, contenders.forgetful, texts, tokens);
        benchPrefill(tokens);
      }
    }
  }

  private void benchPrefill(int tokens) throws IOException {
    if (bench != null) {
      add(Task.PREFILL, BENCH, tokens, () -> bench.prefill(tokens, repetitions(tokens)));
    }
  }

  private void otherPrefill(Texts texts, int tokens) throws IOException {
    PeerProcess other = contenders.otherKernels;
    add(
        Task.PREFILL,
        OTHER_KERNELS,
        tokens,
        () -> {
          other.seconds(texts.text(tokens));
          double seconds = 0;
          for (int i = 0; i < repetitions(tokens); i++) {
            seconds += other.seconds(texts.text(tokens));
          }
          return seconds / repetitions(tokens);
        });
  }

  private static int repetitions(int tokens) {
    return Math.max(1, PREFILLED / tokens);
  }

  private void ourPrefill(String name, RewardModel model, Texts texts, int tokens)
      throws IOException {
    add(Task.PREFILL, name, tokens, () -> prefill(model, texts, tokens, repetitions(tokens)));
  }

  /** As llama-bench does it: once to warm up, then the mean of some. */
  private static double prefill(RewardModel model, Texts texts, int tokens, int repetitions) {
    model.score(Input.text(texts.text(tokens)));
    List<String> different = Stream.generate(() -> texts.text(tokens)).limit(repetitions).toList();
    return seconds(() -> different.forEach(text -> model.score(Input.text(text)))) / repetitions;
  }

  private void sessionEdit(int round) throws IOException {
    EditedText text = new EditedText(round);
    ScoringSession session = contenders.remembering.session().prompt(text.prompt());
    session.score(text.edit());
    for (int i = 0; i < 2; i++) {
      edit(session, text.edit());
      full(text, text.edit());
      full(text, text.edit());
      edit(session, text.edit());
    }
  }

  private void edit(ScoringSession session, String response) throws IOException {
    add(Task.SESSION_EDIT, EDIT, EditedText.TOKENS, () -> seconds(() -> session.score(response)));
  }

  private void full(EditedText text, String response) throws IOException {
    add(
        Task.SESSION_EDIT,
        FULL,
        EditedText.TOKENS,
        () -> seconds(() -> contenders.forgetful.score(text.prompt(), response)));
  }

  private void concurrency(int round) throws IOException {
    List<String> texts = Callers.texts(new Texts(round));
    int tokens = texts.stream().mapToInt(text -> contenders.plain.tokenize(text).length).sum();
    callers(texts, tokens);
    together(texts, tokens);
    together(texts, tokens);
    callers(texts, tokens);
  }

  private void callers(List<String> texts, int tokens) throws IOException {
    machine.take();
    Callers.Outcome outcome = Callers.score(contenders.forgetful, CONCURRENT, texts);
    add(Task.CONCURRENCY, CALLERS, tokens, outcome::seconds);
    add(Task.LONGEST_WAIT, CALLERS, tokens, () -> outcome.longestWait() / outcome.fairWait());
  }

  private void together(List<String> texts, int tokens) throws IOException {
    add(
        Task.CONCURRENCY,
        SCORE_ALL,
        tokens,
        () -> seconds(() -> contenders.forgetful.scoreAll(Texts.inputs(texts))));
  }

  private static double seconds(Runnable task) {
    long start = System.nanoTime();
    task.run();
    return (System.nanoTime() - start) / 1e9;
  }

  private void add(Task task, String contender, int tokens, Turn turn) throws IOException {
    machine.take();
    double value = turn.take();
    System.err.printf("  %s, %d tokens, %s: %.3f%n", task, tokens, contender, value);
    Measurement.add(measurements, task, contender, tokens, value);
  }
}
