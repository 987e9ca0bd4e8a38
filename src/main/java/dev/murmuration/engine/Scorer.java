package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Decode;
import dev.murmuration.engine.Plan.Run;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.memory.ContextSizes;
import dev.murmuration.model.LlamaHyperparameters;
import dev.murmuration.model.ValueHead;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.OptionalDouble;
import java.util.function.Consumer;

/**
 * Computes requests on a context and keeps its key/value cache, so that what an earlier request
 * computed is not computed again. One thread uses it, the context's own; any thread may read {@link
 * #tally}.
 */
public final class Scorer {
  /** Requests with equal tokens, and what is known of them. */
  private static final class Text {
    final int[] tokens;
    final boolean everyToken;
    final List<Request> requests = new ArrayList<>();
    final double[] rewards;
    PrefixCache.Match match = new PrefixCache.Match(null, 0);
    int sequence;
    boolean delivered;

    Text(Request request) {
      tokens = request.tokens();
      everyToken = request.everyToken();
      rewards = new double[everyToken ? tokens.length : 1];
      Arrays.fill(rewards, Double.NaN);
    }

    boolean isLive() {
      return !delivered && requests.stream().anyMatch(Request::isLive);
    }

    double lastReward() {
      return rewards[rewards.length - 1];
    }
  }

  /** What cells of other texts may cost, as a share of what the weights do. */
  private static final double STALE_COST = 0.05;

  /** How many cells flash attention skips in the time that it computes with one. */
  private static final int SKIPPED = 8;

  /** A recent prompt is always worth its place. */
  private static final long LEAST_STALE = 512;

  private final GrowingContext contexts;
  private final ValueHead head;
  private final Planner planner;
  private final boolean repeatable;
  private final long staleCells;
  private final Consumer<Step> probe;

  private LlamaContext context;
  private PrefixCache cache;

  /**
   * Whether the cache may hold something else than its list says: nothing is known yet, or an
   * earlier call failed half-way.
   */
  private boolean dirty = true;

  /** Written by the context's thread alone; read by any. */
  private volatile Tally tally = new Tally(0, 0, 0, 0, 0);

  /**
   * @param repeatable whether a text gets the same bits whatever was computed before
   * @param staleCells how many tokens may stay in the cache that the next texts do not begin with;
   *     0 if nothing is kept from one call to the next
   * @param probe told each step
   */
  Scorer(
      GrowingContext contexts,
      ValueHead head,
      Planner planner,
      boolean repeatable,
      long staleCells,
      Consumer<Step> probe) {
    this.contexts = contexts;
    this.head = head;
    this.planner = planner;
    this.repeatable = repeatable;
    this.staleCells = staleCells;
    this.probe = probe;
  }

  /**
   * A good value for {@code staleCells}. Our kernels pass over what a text does not see at no cost.
   * llama.cpp's attention passes over every cell that is taken: without flash attention it computes
   * with them, and then they shall not cost more than a twentieth of what the weights do; flash
   * attention skips them at a small fraction of that.
   */
  public static long staleCells(LlamaHyperparameters model, boolean ours, boolean exact) {
    if (ours) {
      return Long.MAX_VALUE;
    }
    long keyValueSize = (long) model.keyValueHeads() * model.headSize();
    long weights =
        model.hiddenSize() * (2L * model.hiddenSize() + 2 * keyValueSize)
            + 3L * model.hiddenSize() * model.feedForwardSize();
    // A multiplication and an addition for each weight, and for query by key and for score by
    // value.
    double cells = STALE_COST * 2 * weights / (4.0 * model.heads() * model.headSize());
    return Math.max(LEAST_STALE, (long) (exact ? cells : SKIPPED * cells));
  }

  Tally tally() {
    return tally;
  }

  /**
   * Computes the rewards of requests that fit into the context together, and answers each as soon
   * as its own are known. Requests that are withdrawn meanwhile are left out where that is still
   * possible.
   *
   * @throws RuntimeException if llama.cpp fails or was cancelled; some then have no answer
   */
  void score(List<Request> requests) {
    if (dirty) {
      forget();
    }
    dirty = true;
    compute(requests);
    if (staleCells == 0) {
      forget();
    }
    dirty = false;
  }

  private void compute(List<Request> requests) {
    List<Text> texts = distinct(requests);
    long asked = requests.stream().mapToLong(request -> request.tokens().length).sum();
    tally = tally.plus(requests.size(), asked, 0, 0, 0);
    probe.accept(Step.LOOK_UP);
    texts.removeIf(text -> staleCells > 0 && isKnown(text));
    if (texts.isEmpty()) {
      return;
    }
    computeTogether(texts);
    // A value that is not finite spoils, through the cache, texts computed beside it or after it:
    // each has its own try.
    for (Text text : texts) {
      if (text.isLive()) {
        forget();
        computeTogether(List.of(text));
        if (text.isLive()) {
          forget();
          deliver(text, null);
        }
      }
    }
  }

  private static List<Text> distinct(List<Request> requests) {
    List<Request> sorted = new ArrayList<>(requests);
    sorted.sort(Comparator.comparing(Request::tokens, Arrays::compare));
    List<Text> texts = new ArrayList<>();
    for (Request request : sorted) {
      if (texts.isEmpty() || !Arrays.equals(texts.getLast().tokens, request.tokens())) {
        texts.add(new Text(request));
      }
      texts.getLast().requests.add(request);
    }
    return texts;
  }

  private boolean isKnown(Text text) {
    OptionalDouble known = text.everyToken ? OptionalDouble.empty() : cache.reward(text.tokens);
    if (known.isEmpty()) {
      return false;
    }
    text.rewards[0] = known.getAsDouble();
    tally = tally.plus(0, 0, text.tokens.length, 0, 0);
    deliver(text, null);
    return true;
  }

  private void forget() {
    context = contexts.cleared();
    cache = new PrefixCache(context.maxSequences());
  }

  private void computeTogether(List<Text> texts) {
    if (computeBesideCache(texts)) {
      return;
    }
    // It did not fit, or not in an order that gives the same bits, or the cache was replaced.
    forget();
    if (computeBesideCache(texts)) {
      return;
    }
    if (texts.size() == 1) {
      Text text = texts.getFirst();
      IllegalStateException full =
          new IllegalStateException(text.tokens.length + " tokens do not fit into an empty cache");
      deliver(text, Objects.requireNonNullElse(contexts.shortage(), full));
      return;
    }
    // There is no memory for all of them at once.
    int half = texts.size() / 2;
    computeTogether(texts.subList(0, half));
    computeTogether(texts.subList(half, texts.size()));
  }

  private boolean computeBesideCache(List<Text> texts) {
    for (Text text : texts) {
      text.match = text.everyToken ? new PrefixCache.Match(null, 0) : cache.longest(text.tokens);
    }
    probe.accept(Step.PLAN);
    Plan plan = plan(texts, texts.stream().mapToInt(text -> text.match.length()).toArray());
    boolean mostlyNew = plan.tokensReused() <= plan.tokensComputed();
    if (mostlyNew
        && !isRoom(plan.tokensComputed(), texts.size())
        && contexts.grow(cellsOfAll(texts))) {
      return false;
    }
    Map<Integer, Integer> kept = kept(texts);
    probe.accept(Step.MAKE_ROOM);
    if (!makeRoom(plan.tokensComputed(), texts.size(), kept)) {
      var _ = contexts.grow(cellsOfAll(texts));
      return false;
    }
    begin(texts);
    for (Decode decode : plan.decodes()) {
      List<Run> runs =
          decode.runs().stream()
              .filter(run -> run.texts().stream().anyMatch(i -> texts.get(i).isLive()))
              .toList();
      probe.accept(Step.ADD);
      runs.forEach(run -> add(run, texts));
      if (repeatable && !context.ascending()) {
        // What it holds is lost either way, and in a larger one it happens less often.
        var _ = contexts.grow(cellsOfAll(texts));
        return false;
      }
      probe.accept(Step.DECODE);
      float[] states = context.decode();
      tally = tally.plus(0, 0, 0, runs.stream().mapToLong(Run::size).sum(), runs.isEmpty() ? 0 : 1);
      probe.accept(Step.READ);
      read(runs, texts, states);
    }
    probe.accept(Step.KEEP);
    end(texts);
    tally = tally.plus(0, 0, plan.tokensReused(), 0, 0);
    return true;
  }

  private Plan plan(List<Text> texts, int[] common) {
    if (texts.getFirst().everyToken) {
      return planner.every(texts.getFirst().tokens.length);
    }
    return planner.last(texts.stream().map(text -> text.tokens).toList(), common);
  }

  /** How many cells the context needs, if it holds nothing else. */
  private int cellsOfAll(List<Text> texts) {
    long tokens = plan(texts, new int[texts.size()]).tokensComputed();
    return (int) Math.max(tokens, ContextSizes.cellsFor(texts.size()));
  }

  /** What must stay in the cache: sequences, and how many of their tokens. */
  private Map<Integer, Integer> kept(List<Text> texts) {
    Map<Integer, Integer> kept = new HashMap<>();
    for (Text text : texts) {
      int reused = planner.reusable(text.tokens.length, text.match.length());
      if (reused > 0) {
        kept.merge(text.match.entry().sequence(), reused, Math::max);
      }
    }
    return kept;
  }

  private boolean makeRoom(long cells, int sequences, Map<Integer, Integer> kept) {
    long wanted = kept.values().stream().mapToLong(length -> length).sum();
    while (!isRoom(cells, sequences) || context.usedCells() - wanted > staleCells) {
      int oldest = cache.removeOldest(kept.keySet());
      if (oldest < 0) {
        break;
      }
      context.trim(oldest, 0);
      cache.giveBack(oldest);
    }
    if (context.freeCells() < cells) {
      kept.forEach(this::shorten);
    }
    return isRoom(cells, sequences);
  }

  private boolean isRoom(long cells, int sequences) {
    return context.freeCells() >= cells && cache.freeSequences() >= sequences;
  }

  private void shorten(int sequence, int length) {
    if (context.length(sequence) > length) {
      context.trim(sequence, length);
      cache.put(sequence, Arrays.copyOf(cache.tokens(sequence), length), Double.NaN);
    }
  }

  private void begin(List<Text> texts) {
    for (Text text : texts) {
      text.sequence = cache.take();
      int reused = planner.reusable(text.tokens.length, text.match.length());
      if (reused > 0) {
        cache.use(text.match.entry());
        context.share(text.match.entry().sequence(), text.sequence, reused);
      }
    }
  }

  private void add(Run run, List<Text> texts) {
    int[] tokens = texts.get(run.texts().getFirst()).tokens;
    int[] sequences = run.texts().stream().mapToInt(i -> texts.get(i).sequence).toArray();
    for (int i = run.from(); i < run.to() + run.fillers(); i++) {
      boolean output = i >= run.outputFrom() && i < run.outputTo();
      context.add(tokens[Math.min(i, tokens.length - 1)], output, sequences);
    }
  }

  private void read(List<Run> runs, List<Text> texts, float[] states) {
    int row = 0;
    for (Run run : runs) {
      for (int position = run.outputFrom(); position < run.outputTo(); position++, row++) {
        for (int i : run.texts()) {
          Text text = texts.get(i);
          int last = text.tokens.length - 1;
          if (text.everyToken && position <= last) {
            text.rewards[position] = head.reward(states, row);
          } else if (position == last) {
            text.rewards[0] = head.reward(states, row);
          }
          if (position == last && Arrays.stream(text.rewards).allMatch(Double::isFinite)) {
            deliver(text, null);
          }
        }
      }
    }
  }

  private void deliver(Text text, Throwable failure) {
    probe.accept(Step.ANSWER);
    text.delivered = true;
    for (Request request : text.requests) {
      if (failure == null) {
        request.complete(text.rewards);
      } else {
        request.fail(failure);
      }
    }
  }

  /** From now on the texts are what later ones may begin with. */
  private void end(List<Text> texts) {
    for (Text text : texts) {
      // Shorter than the text if that was withdrawn, longer if it was filled up.
      int length = Math.min(context.length(text.sequence), text.tokens.length);
      if (length == 0) {
        cache.giveBack(text.sequence);
      } else if (length == text.tokens.length) {
        cache.put(text.sequence, text.tokens, text.lastReward());
      } else {
        cache.put(text.sequence, Arrays.copyOf(text.tokens, length), Double.NaN);
      }
    }
  }
}
