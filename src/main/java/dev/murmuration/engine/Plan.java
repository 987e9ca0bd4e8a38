package dev.murmuration.engine;

import java.util.List;

/**
 * What is computed for some texts, and in which order. The texts' tokens form a prefix tree; each
 * edge of it is computed once, for all texts below it.
 *
 * @param tokensAsked tokens of all texts, each counted as often as it was asked for
 * @param tokensReused tokens of the tree that earlier calls left in the key/value cache
 * @param sources for each text what it reuses; a plan of several waves has theirs one after another
 * @param decodes what llama.cpp is given, one after another
 */
public record Plan(
    long tokensAsked, long tokensReused, List<Source> sources, List<Decode> decodes) {
  /**
   * What of the cache a text begins with.
   *
   * @param sequence that holds it; nothing where {@code length} is 0
   * @param length tokens
   */
  public record Source(int sequence, int length) {
    static final Source NOTHING = new Source(-1, 0);
  }

  /**
   * One call of {@code llama_decode}.
   *
   * @param runs in the order of the batch
   * @param observed indices of texts whose rewards are read at an observer each, which stand behind
   *     the runs: see {@link Planner}
   * @param observers rows that these take, fillers included
   */
  public record Decode(List<Run> runs, List<Integer> observed, int observers) {
    public Decode {
      runs = List.copyOf(runs);
      observed = List.copyOf(observed);
    }

    Decode(List<Run> runs) {
      this(runs, List.of(), 0);
    }

    /** Tokens in the batch, observers and fillers included. */
    public int size() {
      return runs.stream().mapToInt(Run::size).sum() + observers;
    }

    /** Hidden states asked for, without those of observers. */
    int outputs() {
      return runs.stream().mapToInt(Run::outputs).sum();
    }
  }

  /**
   * An edge of the tree, or a part of one: tokens that are the same in some texts.
   *
   * @param texts indices of the texts that the tokens belong to, ascending
   * @param from position in these texts of the first token, inclusive
   * @param to position of the last one, exclusive
   * @param fillers tokens to add behind it, which attention never looks at: see {@link Planner}
   * @param outputFrom first position whose hidden state is asked for; fillers have positions, too
   * @param outputTo last, exclusive; equal to {@code outputFrom} when none is
   */
  public record Run(
      List<Integer> texts, int from, int to, int fillers, int outputFrom, int outputTo) {
    public Run {
      texts = List.copyOf(texts);
    }

    /** Tokens in the batch, fillers included. */
    public int size() {
      return to - from + fillers;
    }

    /** Hidden states asked for. */
    int outputs() {
      return outputTo - outputFrom;
    }
  }

  public Plan {
    sources = List.copyOf(sources);
    decodes = List.copyOf(decodes);
  }

  /** Whether some rewards are read at observers, which need a sequence of their own. */
  boolean observes() {
    return decodes.stream().anyMatch(decode -> decode.observers() > 0);
  }

  /** Sequences that it needs, without those that it reuses. */
  int sequences() {
    return sources.size() + (observes() ? 1 : 0);
  }

  /** Tokens that llama.cpp computes, observers and fillers included. */
  public long tokensComputed() {
    return decodes.stream().mapToLong(Decode::size).sum();
  }

  /**
   * Tokens computed only so that the others are computed in the same way every time; none where our
   * own kernels compute.
   */
  public long fillers() {
    return decodes.stream().flatMap(decode -> decode.runs().stream()).mapToLong(Run::fillers).sum();
  }

  /** How many tokens each computed one attends to, itself included, summed up. */
  public long tokensSeen() {
    long seen = 0;
    for (Decode decode : decodes) {
      for (Run run : decode.runs()) {
        seen += (long) (run.to() - run.from()) * (run.from() + run.to() + 1) / 2;
      }
    }
    return seen;
  }
}
