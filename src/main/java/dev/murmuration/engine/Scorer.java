package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Source;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * Scores waves: what is known already is not computed, the rest is planned, gets room in the cache,
 * and is executed. Where there is no room for all at once there are several plans. For the engine's
 * thread.
 */
final class Scorer {
  private final KeyValueCache cache;
  private final Planner planner;
  private final Executor executor;
  private final boolean reuse;
  private final Tally.Counter tally;
  private final Consumer<Step> probe;

  /**
   * Whether the cache may hold something else than its list says: nothing is known yet, or an
   * earlier wave failed half-way.
   */
  private boolean dirty = true;

  /**
   * @param reuse whether anything is kept from one wave to the next
   * @param tally counts what is done
   * @param probe told each step
   */
  Scorer(
      KeyValueCache cache,
      Planner planner,
      Executor executor,
      boolean reuse,
      Tally.Counter tally,
      Consumer<Step> probe) {
    this.cache = cache;
    this.planner = planner;
    this.executor = executor;
    this.reuse = reuse;
    this.tally = tally;
    this.probe = probe;
  }

  /**
   * Scores texts that fit into the context together. Those that nobody waits for any more are left
   * out where that is still possible.
   *
   * @param texts as {@link Text#distinct} orders them
   * @param results told what becomes of each text as soon as it is known
   * @throws RuntimeException if llama.cpp fails or was cancelled; some then have no result
   */
  void score(List<Text> texts, Consumer<Result> results) {
    if (dirty) {
      cache.clear();
    }
    dirty = true;
    texts.forEach(text -> tally.asked(text.requests().size(), text.length()));
    probe.accept(Step.LOOK_UP);
    List<Text> spoilt = new ArrayList<>();
    compute(
        reuse ? unknown(texts, results) : texts,
        result -> {
          if (result instanceof Result.Rewards rewards && !rewards.areFinite()) {
            spoilt.add(result.text());
          } else {
            results.accept(result);
          }
        });
    // A value that is not finite spoils, through the cache, texts computed beside it or after it:
    // each is computed once more, alone.
    for (Text text : spoilt) {
      cache.clear();
      compute(List.of(text), results);
    }
    if (!reuse || !spoilt.isEmpty()) {
      cache.clear();
    }
    dirty = false;
  }

  /** The texts whose rewards no earlier wave has left. */
  private List<Text> unknown(List<Text> texts, Consumer<Result> results) {
    List<Text> unknown = new ArrayList<>();
    for (Text text : texts) {
      OptionalDouble known =
          text.everyToken() ? OptionalDouble.empty() : cache.reward(text.tokens());
      if (known.isPresent()) {
        tally.reused(text.length());
        results.accept(new Result.Rewards(text, new double[] {known.getAsDouble()}));
      } else {
        unknown.add(text);
      }
    }
    return unknown;
  }

  private void compute(List<Text> texts, Consumer<Result> results) {
    List<Text> wanted = texts.stream().filter(Text::isWanted).toList();
    if (wanted.isEmpty()) {
      return;
    }
    Plan plan = planWithRoom(wanted);
    if (plan != null) {
      executor.execute(plan, wanted, results::accept);
    } else if (wanted.size() == 1) {
      results.accept(new Result.Failure(wanted.getFirst(), shortage(wanted.getFirst())));
    } else {
      // There is no memory for all of them at once.
      int half = wanted.size() / 2;
      compute(wanted.subList(0, half), results);
      compute(wanted.subList(half, wanted.size()), results);
    }
  }

  private RuntimeException shortage(Text text) {
    return Objects.requireNonNullElseGet(
        cache.shortage(),
        () -> new IllegalStateException(text.length() + " tokens do not fit into an empty cache"));
  }

  /**
   * A plan for which room was made: beside what the cache holds, or else in its place.
   *
   * @return null if there is not enough room in an empty cache either
   */
  private Plan planWithRoom(List<Text> texts) {
    Plan plan = planBesideOthers(texts);
    if (plan == null) {
      cache.clear();
      plan = planBesideOthers(texts);
    }
    return plan;
  }

  /** A plan for which room was made; null if the cache has to be emptied for one. */
  private Plan planBesideOthers(List<Text> texts) {
    while (true) {
      probe.accept(Step.PLAN);
      Plan plan = plan(texts);
      boolean mostlyNew = plan.tokensReused() <= plan.tokensComputed();
      if (mostlyNew && !cache.hasRoom(plan) && grow(texts, plan)) {
        return null;
      }
      probe.accept(Step.MAKE_ROOM);
      if (!cache.makeRoom(plan)) {
        var _ = grow(texts, plan);
        return null;
      }
      // Making room may have freed cells that lie before what the plan reuses; then less can be
      // reused, and it is planned again. This ends, because the first free cell moves towards the
      // beginning each time.
      if (cache.isReusable(plan)) {
        return plan;
      }
    }
  }

  private Plan plan(List<Text> texts) {
    if (texts.getFirst().everyToken()) {
      return planner.planTrace(texts.getFirst().length());
    }
    List<int[]> tokens = texts.stream().map(Text::tokens).toList();
    List<Source> sources = tokens.stream().map(cache::longest).toList();
    return planner.planRewards(tokens, sources);
  }

  /** A larger context, for these texts at least; whether what the cache held is lost. */
  private boolean grow(List<Text> texts, Plan plan) {
    return cache.grow(planner.cells(texts.stream().map(Text::tokens).toList()), plan.sequences());
  }
}
