package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Source;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.memory.ContextSizes;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.function.IntPredicate;

/**
 * The context with what earlier waves left in its key/value cache: finds it, makes room beside it,
 * and replaces the context by a larger one where that does not suffice. The list of texts and the
 * context change together, here alone. For the engine's thread.
 */
final class KeyValueCache {
  private final GrowingContext contexts;
  private final long staleTokens;
  private final int longest;
  private final boolean repeatable;

  private LlamaContext context;
  private CachedTexts texts;

  /**
   * An empty cache.
   *
   * @param staleTokens how many tokens may stay that the next texts do not begin with
   * @param longest the first tokens of a text that may stay
   * @param repeatable whether a text gets the same bits whatever was computed before
   */
  KeyValueCache(GrowingContext contexts, long staleTokens, int longest, boolean repeatable) {
    this.contexts = contexts;
    this.staleTokens = staleTokens;
    this.longest = longest;
    this.repeatable = repeatable;
  }

  /** The context, to add tokens to and to decode. */
  LlamaContext context() {
    return context;
  }

  /** Empties it. */
  void clear() {
    context = contexts.cleared();
    texts = new CachedTexts(context.maxSequences());
  }

  /** What it holds of a text, as much as can be reused. */
  Source longest(int[] tokens) {
    return texts.longest(tokens, this::reusable);
  }

  private int reusable(int sequence) {
    return repeatable ? context.inOrder(sequence) : context.length(sequence);
  }

  /** Whether all that a plan reuses can still be reused: making room frees cells before it. */
  boolean isReusable(Plan plan) {
    return plan.sources().stream()
        .allMatch(source -> source.length() == 0 || source.length() <= reusable(source.sequence()));
  }

  /** The reward of exactly this text, where it is known. */
  OptionalDouble reward(int[] tokens) {
    return texts.reward(tokens);
  }

  /** Whether a plan finds room without anything being removed. */
  boolean hasRoom(Plan plan) {
    return context.freeCells() >= plan.tokensComputed()
        && texts.freeSequences() >= plan.sequences();
  }

  /**
   * Removes what was not used for longest and the plan does not reuse, until there is room for it
   * and no more cells are stale than may be. What lies before the cells that the plan reuses goes
   * last: with a free cell there they could not be reused.
   *
   * @return whether there is room
   */
  boolean makeRoom(Plan plan) {
    Map<Integer, Integer> reused = new HashMap<>();
    for (Source source : plan.sources()) {
      if (source.length() > 0) {
        reused.merge(source.sequence(), source.length(), Math::max);
      }
    }
    long kept = reused.values().stream().mapToLong(length -> length).sum();
    int lastKept = lastCell(reused);
    while (true) {
      boolean cellsAreShort =
          context.freeCells() < plan.tokensComputed() || context.usedCells() - kept > staleTokens;
      if (!cellsAreShort && hasRoom(plan)) {
        return true;
      }
      // The end of what is reused can be removed as well, which frees cells and no sequence.
      IntPredicate removable =
          sequence ->
              cellsAreShort
                  ? context.length(sequence) > reused.getOrDefault(sequence, 0)
                  : !reused.containsKey(sequence);
      IntPredicate behind =
          sequence -> context.firstOwnCell(sequence, reused.getOrDefault(sequence, 0)) > lastKept;
      int oldest =
          texts.oldest(removable.and(behind)).orElseGet(() -> texts.oldest(removable).orElse(-1));
      if (oldest < 0) {
        return hasRoom(plan);
      }
      shorten(oldest, reused.getOrDefault(oldest, 0));
    }
  }

  /** The last cell of what is reused; -1 where the order of cells does not matter. */
  private int lastCell(Map<Integer, Integer> reused) {
    return repeatable
        ? reused.entrySet().stream()
            .mapToInt(one -> context.cell(one.getKey(), one.getValue() - 1))
            .max()
            .orElse(-1)
        : -1;
  }

  private void shorten(int sequence, int length) {
    context.trim(sequence, length);
    if (length == 0) {
      texts.giveBack(sequence);
    } else {
      texts.shorten(sequence, length);
    }
  }

  /**
   * Replaces the context by a larger one, as far as there is memory.
   *
   * @param cells that it has to have at least
   * @param sequences that it has to hold at least
   * @return whether what it held is lost
   */
  boolean grow(long cells, int sequences) {
    return contexts.grow((int) Math.max(cells, ContextSizes.cellsFor(sequences)));
  }

  /** Why it did not grow the last time that it should have, or null. */
  RuntimeException shortage() {
    return contexts.shortage();
  }

  /** A sequence that begins with what is reused, for a text that is to be computed. */
  int begin(Source source) {
    int sequence = texts.take();
    if (source.length() > 0) {
      context.share(source.sequence(), sequence, source.length());
    }
    return sequence;
  }

  /** An empty sequence, to be given back empty. */
  int borrow() {
    return texts.take();
  }

  /** Takes back what was borrowed. */
  void giveBack(int sequence) {
    texts.giveBack(sequence);
  }

  /**
   * Keeps a sequence's text, as far as it was computed, for later texts that begin with it.
   *
   * @param reward at its last token, or NaN where it is not known
   */
  void keep(int sequence, int[] tokens, double reward) {
    if (context.length(sequence) > longest) {
      context.trim(sequence, longest);
    }
    // The sequence is shorter than the text if that was withdrawn or may not stay, and longer if
    // fillers stand behind it.
    int length = context.length(sequence);
    if (length == 0) {
      texts.giveBack(sequence);
      return;
    }
    texts.put(sequence, tokens, reward);
    if (length < tokens.length) {
      texts.shorten(sequence, length);
    }
  }
}
