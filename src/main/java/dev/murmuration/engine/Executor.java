package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Decode;
import dev.murmuration.engine.Plan.Run;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.ValueHead;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Executes plans on the context: tokens in, rewards out, and what was computed stays in the cache.
 * For the engine's thread.
 */
final class Executor {
  private final KeyValueCache cache;
  private final ValueHead head;
  private final ReadoutRule readout;
  private final Tally.Counter tally;
  private final Consumer<Step> probe;

  /** A plan that is being executed: for each text its sequence, and its rewards as far as known. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Work(List<Text> texts, int[] sequences, double[][] rewards) {
    /** Whether somebody waits for one of a run's texts. */
    boolean isWanted(Run run) {
      return run.texts().stream().anyMatch(this::isWanted);
    }

    boolean isWanted(int text) {
      return texts.get(text).isWanted();
    }
  }

  /**
   * @param readout says what observers of texts are
   * @param tally counts what is done
   * @param probe told each step
   */
  Executor(
      KeyValueCache cache,
      ValueHead head,
      ReadoutRule readout,
      Tally.Counter tally,
      Consumer<Step> probe) {
    this.cache = cache;
    this.head = head;
    this.readout = readout;
    this.tally = tally;
    this.probe = probe;
  }

  /**
   * Computes texts as planned. Those that nobody waits for any more are left out where that is
   * still possible.
   *
   * @param plan for which there is room in the cache
   * @param results told the rewards of each text as soon as they are known
   * @throws RuntimeException if llama.cpp fails or was cancelled; some then have no result
   */
  void execute(Plan plan, List<Text> texts, Consumer<Result.Rewards> results) {
    int[] sequences = plan.sources().stream().mapToInt(cache::begin).toArray();
    Work work =
        new Work(texts, sequences, texts.stream().map(Executor::unknown).toArray(double[][]::new));
    int observers = plan.observes() ? cache.borrow() : -1;
    for (Decode decode : plan.decodes()) {
      List<Run> runs = decode.runs().stream().filter(work::isWanted).toList();
      probe.accept(Step.ADD);
      LlamaContext context = cache.context();
      runs.forEach(run -> add(context, work, run));
      List<Integer> observed = decode.observed().stream().filter(work::isWanted).toList();
      int rows = observed.isEmpty() ? 0 : decode.observers();
      observe(context, work, observed, rows, observers);
      probe.accept(Step.DECODE);
      float[] states = context.decode();
      tally.decoded(runs.stream().mapToLong(Run::size).sum() + rows);
      probe.accept(Step.READ);
      int row = read(work, runs, states, results);
      for (int i : observed) {
        double[] reward = work.rewards()[i];
        reward[0] = head.reward(states, row++);
        results.accept(new Result.Rewards(texts.get(i), reward));
      }
    }
    probe.accept(Step.KEEP);
    if (observers >= 0) {
      cache.giveBack(observers);
    }
    for (int i = 0; i < sequences.length; i++) {
      double[] rewards = work.rewards()[i];
      cache.keep(sequences[i], texts.get(i).tokens(), rewards[rewards.length - 1]);
    }
    tally.reused(plan.tokensReused());
  }

  private static double[] unknown(Text text) {
    double[] rewards = new double[text.everyToken() ? text.length() : 1];
    Arrays.fill(rewards, Double.NaN);
    return rewards;
  }

  private static void add(LlamaContext context, Work work, Run run) {
    int[] tokens = work.texts().get(run.texts().getFirst()).tokens();
    int[] own = run.texts().stream().mapToInt(i -> work.sequences()[i]).toArray();
    for (int i = run.from(); i < run.to() + run.fillers(); i++) {
      boolean output = i >= run.outputFrom() && i < run.outputTo();
      context.add(tokens[Math.min(i, tokens.length - 1)], output, own);
    }
  }

  /**
   * Adds observers of texts, and more of the last one until there are so many rows.
   *
   * @param sequence of the observers
   */
  private void observe(
      LlamaContext context, Work work, List<Integer> observed, int rows, int sequence) {
    for (int row = 0; row < rows && readout instanceof ReadoutRule.Published rule; row++) {
      int i = observed.get(Math.min(row, observed.size() - 1));
      int length = work.texts().get(i).length();
      context.addObserver(
          rule.padTokenId(), rule.padPosition(), work.sequences()[i], length, sequence);
    }
  }

  /**
   * Turns hidden states into rewards. There is one state for each output of the runs, in their
   * order.
   */
  private int read(Work work, List<Run> runs, float[] states, Consumer<Result.Rewards> results) {
    int row = 0;
    for (Run run : runs) {
      for (int position = run.outputFrom(); position < run.outputTo(); position++, row++) {
        for (int i : run.texts()) {
          Text text = work.texts().get(i);
          double[] rewards = work.rewards()[i];
          // The rewards are those of the last tokens. Before them and behind them stand rows that
          // were asked for to make a group full.
          int index = position - (text.length() - rewards.length);
          if (index >= 0 && index < rewards.length) {
            rewards[index] = head.reward(states, row);
          }
          if (index == rewards.length - 1) {
            results.accept(new Result.Rewards(text, rewards));
          }
        }
      }
    }
    return row;
  }
}
