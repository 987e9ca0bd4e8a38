package dev.murmuration.reward;

import java.util.ArrayList;
import java.util.List;

/**
 * Orders what is to be computed. Plain for now: one sequence after another, each cut into decodes
 * that fit a batch.
 *
 * <p>Sequences are filled up with tokens that stand behind the last real one, which attention never
 * looks at, in order to compute the same thing in the same way every time: ggml's kernels add up in
 * another order, or in another precision, for fewer than 64 rows, and for a group of rows that is
 * not a whole group of four.
 */
final class Planner {
  /**
   * ggml's flash attention works on tiles of so many rows (GGML_FA_TILE_Q), fewer rows take another
   * path.
   */
  static final int TILE = 64;

  /** ggml's repacked matrix kernels work on so many rows at a time. */
  static final int ROW_GROUP = 4;

  /** The share of fillers that is not worth a thought. */
  private static final double CHEAP = 0.02;

  /**
   * One decode of a part of a sequence.
   *
   * @param from first real token, inclusive
   * @param to last real token, exclusive
   * @param fillers tokens to add behind it
   * @param outputFrom first position of the sequence whose hidden state is asked for; fillers have
   *     positions, too
   * @param outputTo last, exclusive; equal to {@code outputFrom} when none is
   */
  record Decode(int from, int to, int fillers, int outputFrom, int outputTo) {}

  private final int batchSize;
  private final int maxOutputs;
  private final boolean alwaysFill;

  /**
   * @param batchSize most tokens a decode, a multiple of {@link #TILE}
   * @param maxOutputs most hidden states a decode, a multiple of {@link #TILE}
   * @param alwaysFill whether sequences are filled up whatever it costs, or only where it costs
   *     next to nothing
   */
  Planner(int batchSize, int maxOutputs, boolean alwaysFill) {
    if (batchSize % TILE != 0 || maxOutputs % TILE != 0) {
      throw new IllegalArgumentException(
          "batch size "
              + batchSize
              + " and outputs "
              + maxOutputs
              + " must be multiples of "
              + TILE);
    }
    this.batchSize = batchSize;
    this.maxOutputs = maxOutputs;
    this.alwaysFill = alwaysFill;
  }

  /** The decodes of a sequence of {@code length} tokens whose last hidden state is asked for. */
  List<Decode> last(int length) {
    List<Decode> decodes = new ArrayList<>();
    for (int from = 0; from < length; from += batchSize) {
      int to = Math.min(length, from + batchSize);
      if (to < length) {
        decodes.add(new Decode(from, to, 0, to, to));
      } else {
        int fillers = fillers(length);
        // The group of rows around the last one, as far as there are tokens.
        int outputFrom = (length - 1) / ROW_GROUP * ROW_GROUP;
        int outputTo = Math.min(outputFrom + ROW_GROUP, to + fillers);
        decodes.add(new Decode(from, to, fillers, outputFrom, outputTo));
      }
    }
    return decodes;
  }

  /** The decodes of a sequence of {@code length} tokens whose every hidden state is asked for. */
  List<Decode> every(int length) {
    List<Decode> decodes = new ArrayList<>();
    int step = Math.min(batchSize, maxOutputs);
    for (int from = 0; from < length; from += step) {
      int to = Math.min(length, from + step);
      int fillers = to == length ? fillers(to) : 0;
      decodes.add(new Decode(from, to, fillers, from, to + fillers));
    }
    return decodes;
  }

  private int fillers(int length) {
    int fillers = Math.ceilDiv(length, TILE) * TILE - length;
    return alwaysFill || fillers <= length * CHEAP ? fillers : 0;
  }
}
