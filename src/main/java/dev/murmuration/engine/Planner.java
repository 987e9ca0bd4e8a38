package dev.murmuration.engine;

import dev.murmuration.engine.Plan.Decode;
import dev.murmuration.engine.Plan.Run;
import dev.murmuration.engine.Plan.Source;
import dev.murmuration.memory.MemoryPolicy;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * Turns texts into a {@link Plan}: no token is computed twice, and batches are as full as each
 * other. Knows nothing of llama.cpp.
 *
 * <p>A text's reward is read at its last token, or at an observer: a token that looks at the text
 * from behind and that nothing looks at. Observers come last, so that the cells which they leave
 * lie behind all others, and texts stay in one piece.
 *
 * <p>Where our own kernels compute, a text gets the same bits whatever is computed beside it.
 * ggml's add up in another order, or in another precision, for fewer than 64 rows, and for keys
 * that do not begin at a multiple of 64. Where bits matter all the same, a {@link Tile} says what
 * to do.
 */
final class Planner {
  /**
   * What texts are computed in: prefixes are shared, and cut, at multiples of so many tokens only,
   * texts are filled up to one with tokens behind the last real one, and hidden states are asked
   * for in whole tiles.
   */
  record Tile(int tokens) {
    /** Only what differs is computed. */
    static final Tile NONE = new Tile(1);

    /**
     * ggml's flash attention works on tiles of so many queries and keys (GGML_FA_TILE_Q,
     * GGML_FA_TILE_KV); its kernels for few rows, 16 at most, multiply in another precision on
     * GPUs.
     */
    static final Tile GGML = new Tile(MemoryPolicy.TILE);

    int down(int count) {
      return count / tokens * tokens;
    }

    private int up(int count) {
      return down(count + tokens - 1);
    }
  }

  private final int batchSize;
  private final int maxOutputs;
  private final int cells;
  private final int maxTexts;
  private final Tile tile;
  private final int observedBelow;

  /**
   * @param batchSize most tokens a decode, a multiple of the tile's tokens
   * @param maxOutputs most hidden states a decode, a multiple of the tile's tokens
   * @param cells tokens that the cache holds, at least those of the longest text, filled up
   * @param maxSequences sequences that the cache holds
   * @param observedBelow texts of fewer tokens are read at an observer; 0 if none are
   */
  Planner(
      int batchSize, int maxOutputs, int cells, int maxSequences, Tile tile, int observedBelow) {
    if (batchSize % tile.tokens != 0 || maxOutputs % tile.tokens != 0) {
      throw new IllegalArgumentException(
          "batch size "
              + batchSize
              + " and outputs "
              + maxOutputs
              + " must be multiples of "
              + tile.tokens);
    }
    this.batchSize = batchSize;
    this.maxOutputs = maxOutputs;
    this.cells = cells;
    // As many again for what they begin with.
    this.maxTexts = Math.max(1, (maxSequences - (observedBelow > 0 ? 1 : 0)) / 2);
    this.tile = tile;
    this.observedBelow = observedBelow;
  }

  /** The most different texts that are planned together. */
  int maxTexts() {
    return maxTexts;
  }

  /**
   * How many texts of a queue are planned together, from its head, at least one. Texts that have a
   * beginning in common with their neighbour: as many as fit into the cache. Others: as many as
   * fill one decode; more would gain nothing, and every token passes over all that is in the cache.
   */
  int fitting(Iterable<int[]> queue) {
    long tokens = 0;
    int count = 0;
    int observed = 0;
    int[] previous = {};
    for (int[] text : queue) {
      int reused = reusable(text.length, Prefix.common(previous, text));
      tokens += tile.up(text.length) - reused;
      observed += isObserved(text) ? 1 : 0;
      long most = reused >= Policy.ALIKE ? cells : Math.min(cells, batchSize);
      if (count > 0 && (count == maxTexts || tokens + tile.up(observed) > most)) {
        break;
      }
      count++;
      previous = text;
    }
    return count;
  }

  private boolean isObserved(int[] text) {
    return text.length < observedBelow;
  }

  /**
   * The cells that texts take in an empty cache, observers and fillers included.
   *
   * @param texts as for {@link #planRewards}
   */
  long cells(List<int[]> texts) {
    long cells = 0;
    int observed = 0;
    int[] previous = {};
    for (int[] text : texts) {
      cells += tile.up(text.length) - tile.down(Prefix.common(previous, text));
      observed += isObserved(text) ? 1 : 0;
      previous = text;
    }
    return cells + tile.up(observed);
  }

  /**
   * How many of the {@code common} first tokens that a text has with one in the cache need not be
   * computed. The last one always is, for its hidden state.
   */
  int reusable(int length, int common) {
    return tile.down(Math.min(common, length - 1));
  }

  /**
   * The plan for texts whose reward at the last token is asked for.
   *
   * @param texts token ids; different from each other and ascending as {@link Arrays#compare(int[],
   *     int[])} orders them
   * @param cached for each text what the cache holds of it
   */
  Plan planRewards(List<int[]> texts, List<Source> cached) {
    int[] reused = new int[texts.size()];
    int[] same = new int[Math.max(0, texts.size() - 1)];
    List<Source> sources = new ArrayList<>();
    long asked = 0;
    long kept = 0;
    for (int i = 0; i < reused.length; i++) {
      int length = texts.get(i).length;
      reused[i] = reusable(length, cached.get(i).length());
      sources.add(
          reused[i] == 0 ? Source.NOTHING : new Source(cached.get(i).sequence(), reused[i]));
      asked += length;
      if (i > 0) {
        same[i - 1] = Prefix.common(texts.get(i - 1), texts.get(i));
      }
      kept += reused[i] - coveredBefore(i, reused, same);
    }
    int[] shared = Arrays.stream(same).map(tile::down).toArray();
    List<Run> runs = new ArrayList<>();
    new Tree(texts, reused, shared, tile, observedBelow, runs).add(0, texts.size() - 1, 0);
    List<Integer> observed =
        IntStream.range(0, texts.size()).filter(i -> isObserved(texts.get(i))).boxed().toList();
    return new Plan(asked, kept, sources, observed(cut(runs, observed.size()), observed));
  }

  /** The plan for one text whose reward at every token is asked for; nothing is reused. */
  Plan planTrace(int length) {
    int filled = tile.up(length);
    Run whole = new Run(List.of(0), 0, length, filled - length, 0, filled);
    return new Plan(length, 0, List.of(Source.NOTHING), cut(List.of(whole), 0));
  }

  /** How many first tokens of text {@code i} are among those that texts before it reuse. */
  private static int coveredBefore(int i, int[] reused, int[] same) {
    int covered = 0;
    int common = reused[i];
    for (int j = i - 1; j >= 0 && common > covered; j--) {
      common = Math.min(common, same[j]);
      covered = Math.max(covered, Math.min(common, reused[j]));
    }
    return covered;
  }

  /** Walks the prefix tree and writes its edges down, depth first. Nothing of it is built. */
  @SuppressWarnings("ArrayRecordComponent") // Never compared.
  private record Tree(
      List<int[]> texts, int[] reused, int[] shared, Tile tile, int observedBelow, List<Run> runs) {
    /**
     * The subtree of the texts {@code first} to {@code last}, whose first {@code from} tokens are
     * the same and written down. As deep as texts branch, so at most as deep as there are texts.
     */
    void add(int first, int last, int from) {
      if (first > last) {
        return;
      }
      int to = first == last ? texts.get(first).length : shared[first];
      for (int i = first + 1; i < last; i++) {
        to = Math.min(to, shared[i]);
      }
      addEdge(first, last, from, to);
      if (first == last) {
        return;
      }
      int start = first;
      for (int i = first; i <= last; i++) {
        if (i == last || shared[i] == to) {
          add(start, i, to);
          start = i + 1;
        }
      }
    }

    private void addEdge(int first, int last, int from, int to) {
      SortedMap<Integer, List<Integer>> byStart = new TreeMap<>();
      for (int i = first; i <= last; i++) {
        int start = Math.max(from, reused[i]);
        if (start < to) {
          byStart.computeIfAbsent(start, _ -> new ArrayList<>()).add(i);
        }
      }
      // A text that is the beginning of another one and reuses all but its last token computes
      // that one for itself alone; otherwise there is one start.
      byStart.forEach((start, members) -> runs.add(run(members, start, to)));
    }

    private Run run(List<Integer> members, int from, int to) {
      boolean ends = texts.get(members.getFirst()).length == to;
      int fillers = tile.up(to) - to;
      if (!ends || to < observedBelow) {
        return new Run(members, from, to, fillers, to, to);
      }
      int outputFrom = (to - 1) / tile.tokens * tile.tokens;
      return new Run(members, from, to, fillers, outputFrom, outputFrom + tile.tokens);
    }
  }

  /**
   * Fills decodes with runs, equally full, cutting the runs where they do not fit.
   *
   * @param observed how many observers the last one should have room for
   */
  private List<Decode> cut(List<Run> runs, int observed) {
    long total = runs.stream().mapToLong(Run::size).sum() + tile.up(observed);
    int outputs = runs.stream().mapToInt(Run::outputs).max().orElse(0);
    int most = outputs > tile.tokens ? Math.min(batchSize, maxOutputs) : batchSize;
    long count = Math.ceilDiv(total, most);
    long tiles = total / tile.tokens;
    List<Decode> decodes = new ArrayList<>();
    List<Run> batch = new ArrayList<>();
    long room = 0;
    long outputRoom = 0;
    for (Run run : runs) {
      for (Run rest = run; rest != null; ) {
        if (room == 0 || outputRoom < Math.min(rest.outputs(), tile.tokens)) {
          if (!batch.isEmpty()) {
            decodes.add(new Decode(batch));
            batch = new ArrayList<>();
          }
          // Whole tiles, the larger shares first; the last one takes what is left.
          long share = Math.ceilDiv(tiles, Math.max(1, count));
          room = count <= 1 ? most : share * tile.tokens;
          tiles -= share;
          count--;
          outputRoom = maxOutputs;
        }
        int size = (int) Math.min(room, rest.size());
        Run part = head(rest, size);
        batch.add(part);
        room -= size;
        outputRoom -= part.outputs();
        rest = tail(rest, size);
      }
    }
    if (!batch.isEmpty()) {
      decodes.add(new Decode(batch));
    }
    return decodes;
  }

  /** Puts observers into the last decode, and those that it has no room for into more of them. */
  private List<Decode> observed(List<Decode> decodes, List<Integer> observed) {
    if (observed.isEmpty()) {
      return decodes;
    }
    List<Decode> all = new ArrayList<>(decodes);
    List<Run> runs = all.removeLast().runs();
    for (int from = 0, to; from < observed.size(); from = to, runs = List.of()) {
      Decode computed = new Decode(runs);
      int most = Math.min(batchSize - computed.size(), maxOutputs - computed.outputs());
      to = Math.min(from + tile.down(most), observed.size());
      all.add(new Decode(runs, observed.subList(from, to), tile.up(to - from)));
    }
    return all;
  }

  /** The first {@code size} tokens of a run. */
  private static Run head(Run run, int size) {
    int end = run.from() + size;
    int to = Math.min(run.to(), end);
    int outputFrom = Math.min(run.outputFrom(), end);
    return new Run(
        run.texts(), run.from(), to, end - to, outputFrom, Math.min(run.outputTo(), end));
  }

  /** What is left of a run, or null. */
  private static Run tail(Run run, int size) {
    if (size == run.size()) {
      return null;
    }
    int from = run.from() + size;
    int to = Math.max(run.to(), from);
    return new Run(
        run.texts(),
        from,
        to,
        run.to() + run.fillers() - to,
        Math.max(run.outputFrom(), from),
        Math.max(run.outputTo(), from));
  }
}
