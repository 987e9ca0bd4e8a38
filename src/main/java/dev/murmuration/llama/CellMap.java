package dev.murmuration.llama;

import java.util.Arrays;

/**
 * Which cell of the key/value cache holds which token, by the same rules as in llama.cpp, which has
 * no function that says it. Not thread-safe.
 *
 * <p>A sequence is computed to the same bits again only if its tokens lie in cells that ascend as
 * their positions do; this map tells how many of them do. The rules are those of {@code
 * llama_kv_cache::find_slot}, {@code seq_rm}, {@code seq_cp} and {@code apply_ubatch} where all
 * sequences share one cache. They hold as long as no cell is given away because a sliding window
 * has passed it. Then all cells before the one at which find_slot begins are taken, so it always
 * finds the first free cells and never wraps around to cell 0.
 */
final class CellMap {
  /** How many sequences use a cell. */
  private final int[] users;

  private final int[][] cellsOfSequence;
  private final int[] lengths;
  private int used;

  /** No cell before this one is free. */
  private int head;

  CellMap(int cells, int sequences) {
    users = new int[cells];
    cellsOfSequence = new int[sequences][0];
    lengths = new int[sequences];
  }

  int size() {
    return users.length;
  }

  int free() {
    return users.length - used;
  }

  /** Tokens of a sequence. */
  int length(int sequence) {
    return lengths[sequence];
  }

  /**
   * How many of a sequence's first tokens lie in cells that ascend and are before the first free
   * one. Tokens that are added next then lie in cells behind them.
   */
  int inOrder(int sequence) {
    while (head < users.length && users[head] != 0) {
      head++;
    }
    int length = 0;
    int last = -1;
    for (int cell; length < lengths[sequence]; length++, last = cell) {
      cell = cellsOfSequence[sequence][length];
      if (cell <= last || cell > head) {
        break;
      }
    }
    return length;
  }

  /** The cell of the token at a position. */
  int cell(int sequence, int position) {
    return cellsOfSequence[sequence][position];
  }

  /** The first cell that {@link #trim} would free; the largest integer if it would free none. */
  int firstOwnCell(int sequence, int length) {
    int first = Integer.MAX_VALUE;
    for (int i = length; i < lengths[sequence]; i++) {
      int cell = cellsOfSequence[sequence][i];
      if (users[cell] == 1) {
        first = Math.min(first, cell);
      }
    }
    return first;
  }

  /** The cells that the next {@code count} tokens will get. Changes nothing. */
  int[] next(int count) {
    if (count > free()) {
      throw new IllegalStateException(count + " tokens do not fit into " + free() + " free cells");
    }
    int[] cells = new int[count];
    int at = head;
    for (int done = 0; done < count; at++) {
      if (users[at] == 0) {
        cells[done++] = at;
      }
    }
    return cells;
  }

  /** A token was put into a cell, for all these sequences. */
  void put(int cell, int[] sequences) {
    users[cell] = sequences.length;
    used++;
    head = cell + 1;
    for (int sequence : sequences) {
      append(sequence, cell);
    }
  }

  private void append(int sequence, int cell) {
    int length = lengths[sequence]++;
    if (length == cellsOfSequence[sequence].length) {
      cellsOfSequence[sequence] =
          Arrays.copyOf(cellsOfSequence[sequence], Math.max(64, length + length / 2));
    }
    cellsOfSequence[sequence][length] = cell;
  }

  /** The empty sequence {@code to} gets the first tokens of {@code from}. */
  void share(int from, int to, int length) {
    for (int i = 0; i < length; i++) {
      users[cellsOfSequence[from][i]]++;
      append(to, cellsOfSequence[from][i]);
    }
  }

  /** A sequence keeps only its first {@code length} tokens. */
  void trim(int sequence, int length) {
    int firstFreed = users.length;
    for (int i = length; i < lengths[sequence]; i++) {
      int cell = cellsOfSequence[sequence][i];
      if (--users[cell] == 0) {
        used--;
        firstFreed = Math.min(firstFreed, cell);
      }
    }
    lengths[sequence] = Math.min(length, lengths[sequence]);
    head = Math.min(head, firstFreed);
  }

  void clear() {
    Arrays.fill(users, 0);
    Arrays.fill(lengths, 0);
    used = 0;
    head = 0;
  }
}
