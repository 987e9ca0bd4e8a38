package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Decode;
import dev.murmuration.engine.Plan.Run;
import dev.murmuration.engine.PrefixCache.Match;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.model.ReadoutRule;
import dev.murmuration.model.ValueHead;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * Computes waves: plans each, executes the plan on the context, and answers each text as soon as
 * its own rewards are known. One thread uses it, the context's own; any thread may read {@link
 * #tally}.
 */
final class Executor {
  private final TextCache cache;
  private final ValueHead head;
  private final ReadoutRule readout;
  private final Planner planner;
  private final boolean repeatable;
  private final boolean reuse;
  private final Consumer<Step> probe;

  /**
   * Whether the cache may hold something else than its list says: nothing is known yet, or an
   * earlier wave failed half-way.
   */
  private boolean dirty = true;

  /** Written by the context's thread alone; read by any. */
  private volatile Tally tally = new Tally(0, 0, 0, 0, 0);

  /**
   * An executor.
   *
   * @param repeatable whether a text gets the same bits whatever was computed before
   * @param reuse whether anything is kept from one wave to the next
   * @param probe told each step
   */
  Executor(
      TextCache cache,
      ValueHead head,
      ReadoutRule readout,
      Planner planner,
      boolean repeatable,
      boolean reuse,
      Consumer<Step> probe) {
    this.cache = cache;
    this.head = head;
    this.readout = readout;
    this.planner = planner;
    this.repeatable = repeatable;
    this.reuse = reuse;
    this.probe = probe;
  }

  Tally tally() {
    return tally;
  }

  /**
   * Computes requests that fit into the context together. Those that are withdrawn meanwhile are
   * left out where that is still possible. Rewards that the model computes as NaN or infinite are
   * answered as they are.
   *
   * @throws RuntimeException if llama.cpp fails or was cancelled; some then have no answer
   */
  void execute(List<Request> wave) {
    if (dirty) {
      cache.clear();
    }
    dirty = true;
    List<Text> texts = Text.distinct(wave);
    long asked = wave.stream().mapToLong(request -> request.tokens().length).sum();
    tally = tally.plus(wave.size(), asked, 0, 0, 0);
    probe.accept(Step.LOOK_UP);
    if (reuse) {
      texts.removeIf(this::isKnown);
    }
    if (!texts.isEmpty()) {
      compute(texts);
      // A value that is not finite spoils, through the cache, texts computed beside it or after it:
      // each has its own try.
      if (texts.stream().anyMatch(Text::isSpoilt)) {
        cache.clear();
        texts.stream().filter(Text::isLive).forEach(this::computeAlone);
      }
    }
    if (!reuse) {
      cache.clear();
    }
    dirty = false;
  }

  private boolean isKnown(Text text) {
    OptionalDouble known = text.everyToken() ? OptionalDouble.empty() : cache.reward(text.tokens());
    if (known.isEmpty()) {
      return false;
    }
    text.know(text.length() - 1, known.getAsDouble());
    tally = tally.plus(0, 0, text.length(), 0, 0);
    answer(text);
    return true;
  }

  private void computeAlone(Text text) {
    cache.clear();
    compute(List.of(text));
    if (text.isLive()) {
      cache.clear();
      answer(text);
    }
  }

  private void compute(List<Text> texts) {
    if (computeBesideCache(texts)) {
      return;
    }
    // It did not fit, or not in an order that gives the same bits, or the context was replaced.
    cache.clear();
    List<Text> left = texts.stream().filter(Text::isLive).toList();
    if (left.isEmpty() || computeBesideCache(left)) {
      return;
    }
    if (left.size() == 1) {
      Text text = left.getFirst();
      IllegalStateException full =
          new IllegalStateException(text.length() + " tokens do not fit into an empty cache");
      probe.accept(Step.ANSWER);
      text.fail(Objects.requireNonNullElse(cache.shortage(), full));
      return;
    }
    // There is no memory for all of them at once.
    int half = left.size() / 2;
    compute(left.subList(0, half));
    compute(left.subList(half, left.size()));
  }

  /** Computes texts and reuses what the cache holds; false if that is not possible. */
  private boolean computeBesideCache(List<Text> texts) {
    List<Match> matches =
        texts.stream()
            .map(text -> text.everyToken() ? PrefixCache.NOTHING : cache.longest(text.tokens()))
            .toList();
    probe.accept(Step.PLAN);
    Plan plan = plan(texts, matches);
    boolean mostlyNew = plan.tokensReused() <= plan.tokensComputed();
    if (mostlyNew && !cache.hasRoom(plan) && grow(texts)) {
      return false;
    }
    probe.accept(Step.MAKE_ROOM);
    if (!cache.makeRoom(plan)) {
      var _ = grow(texts);
      return false;
    }
    int[] sequences = plan.sources().stream().mapToInt(cache::begin).toArray();
    int observers = plan.observes() ? cache.borrow() : -1;
    for (Decode decode : plan.decodes()) {
      List<Run> runs =
          decode.runs().stream()
              .filter(run -> run.texts().stream().anyMatch(i -> texts.get(i).isLive()))
              .toList();
      probe.accept(Step.ADD);
      LlamaContext context = cache.context();
      runs.forEach(run -> add(run, texts.get(run.texts().getFirst()).tokens(), sequences));
      List<Integer> observed =
          decode.observed().stream().filter(i -> texts.get(i).isLive()).toList();
      observe(decode, observed, texts, sequences, observers);
      if (repeatable && !context.ascending()) {
        // What it holds is lost either way, and in a larger one it happens less often.
        var _ = grow(texts);
        return false;
      }
      probe.accept(Step.DECODE);
      float[] states = context.decode();
      tally = tally.plus(0, 0, 0, runs.stream().mapToLong(Run::size).sum(), runs.isEmpty() ? 0 : 1);
      probe.accept(Step.READ);
      int row = read(runs, texts, states);
      for (int i : observed) {
        Text text = texts.get(i);
        text.know(text.length() - 1, head.reward(states, row++));
        if (text.isComplete()) {
          answer(text);
        }
      }
    }
    probe.accept(Step.KEEP);
    if (observers >= 0) {
      cache.giveBack(observers);
    }
    for (int i = 0; i < sequences.length; i++) {
      cache.keep(sequences[i], texts.get(i));
    }
    tally = tally.plus(0, 0, plan.tokensReused(), 0, 0);
    return true;
  }

  private Plan plan(List<Text> texts, List<Match> matches) {
    return texts.getFirst().everyToken()
        ? planner.planTrace(texts.getFirst().length())
        : planner.planRewards(texts.stream().map(Text::tokens).toList(), matches);
  }

  /** A larger context for these texts alone; whether what the cache held is lost. */
  private boolean grow(List<Text> texts) {
    Plan alone = plan(texts, texts.stream().map(_ -> PrefixCache.NOTHING).toList());
    return cache.grow(alone.tokensComputed(), texts.size());
  }

  private void add(Run run, int[] tokens, int[] sequences) {
    int[] own = run.texts().stream().mapToInt(i -> sequences[i]).toArray();
    for (int i = run.from(); i < run.to() + run.fillers(); i++) {
      boolean output = i >= run.outputFrom() && i < run.outputTo();
      cache.context().add(tokens[Math.min(i, tokens.length - 1)], output, own);
    }
  }

  /** Adds a decode's observers. Where some are not wanted another one is there several times. */
  private void observe(
      Decode decode, List<Integer> observed, List<Text> texts, int[] sequences, int own) {
    for (int row = 0; row < decode.observers() && !observed.isEmpty(); row++) {
      int i = observed.get(Math.min(row, observed.size() - 1));
      ReadoutRule.Published rule = (ReadoutRule.Published) readout;
      cache
          .context()
          .addObserver(
              rule.padTokenId(),
              ReadoutRule.Published.LENGTH - 1,
              sequences[i],
              texts.get(i).length(),
              own);
    }
  }

  private int read(List<Run> runs, List<Text> texts, float[] states) {
    int row = 0;
    for (Run run : runs) {
      for (int position = run.outputFrom(); position < run.outputTo(); position++, row++) {
        for (int i : run.texts()) {
          Text text = texts.get(i);
          if (position >= text.length()) {
            continue; // a filler's
          }
          text.know(position, head.reward(states, row));
          if (position == text.length() - 1 && text.isComplete()) {
            answer(text);
          }
        }
      }
    }
    return row;
  }

  private void answer(Text text) {
    probe.accept(Step.ANSWER);
    text.answer();
  }
}
