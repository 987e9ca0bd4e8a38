package dev.murmuration.engine;

import dev.murmuration.engine.PrefixCache.Match;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.memory.ContextSizes;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalDouble;

/**
 * The context with what earlier waves left in its key/value cache: finds it, makes room beside it,
 * and replaces the context by a larger one where that does not suffice. The list of texts and the
 * context change together, here alone. For the engine's thread.
 */
final class TextCache {
  private final GrowingContext contexts;
  private final long staleTokens;
  private final int longest;

  private LlamaContext context;
  private PrefixCache texts;

  /**
   * An empty cache.
   *
   * @param staleTokens how many tokens may stay that the next texts do not begin with
   * @param longest the first tokens of a text that may stay
   */
  TextCache(GrowingContext contexts, long staleTokens, int longest) {
    this.contexts = contexts;
    this.staleTokens = staleTokens;
    this.longest = longest;
  }

  /** The context, to add tokens to and to decode. */
  LlamaContext context() {
    return context;
  }

  /** Empties it. */
  void clear() {
    context = contexts.cleared();
    texts = new PrefixCache(context.maxSequences());
  }

  /** What it holds with the longest beginning in common. */
  Match longest(int[] tokens) {
    return texts.longest(tokens);
  }

  /** The reward of exactly this text, where it is known. */
  OptionalDouble reward(int[] tokens) {
    return texts.reward(tokens);
  }

  /** Whether a plan finds room without anything being removed. */
  boolean hasRoom(Plan plan) {
    return context.freeCells() >= plan.tokensComputed()
        && texts.freeSequences() >= plan.sources().size();
  }

  /**
   * Removes what was not used for longest and the plan does not reuse, until there is room for it
   * and no more stays than may.
   *
   * @return whether there is room
   */
  boolean makeRoom(Plan plan) {
    Map<Integer, Integer> reused = new HashMap<>();
    for (Plan.Source source : plan.sources()) {
      if (source.length() > 0) {
        reused.merge(source.sequence(), source.length(), Math::max);
      }
    }
    long kept = reused.values().stream().mapToLong(length -> length).sum();
    while (!hasRoom(plan) || context.usedCells() - kept > staleTokens) {
      int oldest = texts.removeOldest(reused.keySet());
      if (oldest < 0) {
        break;
      }
      context.trim(oldest, 0);
      texts.giveBack(oldest);
    }
    if (context.freeCells() < plan.tokensComputed()) {
      reused.forEach(this::shorten);
    }
    return hasRoom(plan);
  }

  private void shorten(int sequence, int length) {
    if (context.length(sequence) > length) {
      context.trim(sequence, length);
      texts.put(sequence, Arrays.copyOf(texts.tokens(sequence), length), Double.NaN);
    }
  }

  /**
   * Replaces the context by a larger one, as far as there is memory.
   *
   * @param tokens that it has to hold at least
   * @param sequences that it has to hold at least
   * @return whether what it held is lost
   */
  boolean grow(long tokens, int sequences) {
    return contexts.grow((int) Math.max(tokens, ContextSizes.cellsFor(sequences)));
  }

  /** Why it did not grow the last time that it should have, or null. */
  RuntimeException shortage() {
    return contexts.shortage();
  }

  /** A sequence that begins with what is reused, for a text that is to be computed. */
  int begin(Plan.Source source) {
    int sequence = texts.take();
    if (source.length() > 0) {
      texts.use(source.sequence());
      context.share(source.sequence(), sequence, source.length());
    }
    return sequence;
  }

  /** From now on a sequence's text is what later ones may begin with, as far as it was computed. */
  void keep(int sequence, Text text) {
    // Shorter than the text if that was withdrawn or may not stay, longer if it was filled up.
    int length = Math.min(longest, Math.min(context.length(sequence), text.length()));
    if (context.length(sequence) > longest) {
      context.trim(sequence, longest);
    }
    if (length == 0) {
      texts.giveBack(sequence);
    } else if (length == text.length()) {
      texts.put(sequence, text.tokens(), text.lastReward());
    } else {
      texts.put(sequence, Arrays.copyOf(text.tokens(), length), Double.NaN);
    }
  }
}
