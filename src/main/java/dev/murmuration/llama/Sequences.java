package dev.murmuration.llama;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a context's sequences are: their lengths, the cells of the cache that they take, and the
 * tokens in the batch. llama.cpp aborts on some wrong arguments and accepts others silently, so
 * they are checked here first. Not thread-safe.
 */
final class Sequences {
  private final ContextParameters parameters;
  private final int vocabularySize;

  /** The tokens that wait for the next decode. */
  private final TokenBatch batch;

  /** What the cache holds, without the batch. */
  private final CellMap cells;

  /** Lengths of the sequences, the tokens in the batch included. */
  private final int[] lengths;

  /** What the observers in the batch see. */
  private final List<View> views = new ArrayList<>();

  /** The sequence of the observers in the batch, or -1. */
  private int observers = -1;

  /**
   * What an observer sees.
   *
   * @param index of the observer in the batch
   * @param sequence that it sees
   * @param length how many of its tokens
   */
  record View(int index, int sequence, int length) {}

  Sequences(TokenBatch batch, ContextParameters parameters, int vocabularySize) {
    this.batch = batch;
    this.parameters = parameters;
    this.vocabularySize = vocabularySize;
    this.cells = new CellMap(parameters.cells(), parameters.maxSequences());
    this.lengths = new int[parameters.maxSequences()];
  }

  /** Cells that no token in the cache takes. */
  int freeCells() {
    return cells.free();
  }

  /** Cells that tokens in the cache take. */
  int usedCells() {
    return cells.size() - cells.free();
  }

  /** Tokens of a sequence, those in the batch included. */
  int length(int sequence) {
    requireSequence(sequence);
    return lengths[sequence];
  }

  /** See {@link LlamaContext#inOrder}. */
  int inOrder(int sequence) {
    requireSequence(sequence);
    return cells.inOrder(sequence);
  }

  /** See {@link LlamaContext#cell}. */
  int cell(int sequence, int position) {
    requireSequence(sequence);
    if (position < 0 || position >= cells.length(sequence)) {
      throw new IllegalArgumentException(
          "sequence "
              + sequence
              + " has "
              + cells.length(sequence)
              + " tokens, none at "
              + position);
    }
    return cells.cell(sequence, position);
  }

  /** See {@link LlamaContext#firstOwnCell}. */
  int firstOwnCell(int sequence, int length) {
    requireSequence(sequence);
    return cells.firstOwnCell(sequence, length);
  }

  /** Adds a token to the batch, see {@link LlamaContext#add}. */
  void add(int token, boolean output, int[] sequences) {
    if (!batch.endsWith(sequences)) {
      requireSequences(sequences);
    }
    for (int sequence : sequences) {
      if (sequence == observers) {
        throw new IllegalArgumentException("sequence " + sequence + " is that of observers");
      }
    }
    add(token, lengths[sequences[0]], output, sequences);
    for (int sequence : sequences) {
      lengths[sequence]++;
    }
  }

  /** Adds an observer to the batch, see {@link LlamaContext#addObserver}. */
  void addObserver(int token, int position, int seen, int length, int own) {
    requireSequence(seen);
    requireSequence(own);
    if (lengths[own] != 0 || (observers >= 0 && own != observers) || seen == own) {
      throw new IllegalArgumentException(
          "sequence " + own + " cannot be that of observers: it has tokens, or another one is");
    }
    if (length < 1 || length > lengths[seen] || position < 0) {
      throw new IllegalArgumentException(
          "an observer at "
              + position
              + " of "
              + length
              + " tokens of sequence "
              + seen
              + ", which has "
              + lengths[seen]);
    }
    add(token, position, true, new int[] {own});
    views.add(new View(batch.size() - 1, seen, length));
    observers = own;
  }

  private void add(int token, int position, boolean output, int[] sequences) {
    if (token < 0 || token >= vocabularySize) {
      throw new IllegalArgumentException(
          "no token " + token + "; the vocabulary has ids 0 to " + (vocabularySize - 1));
    }
    require(batch.size() < parameters.batchSize(), "the batch is full", parameters.batchSize());
    require(batch.size() < cells.free(), "the context is full", cells.size());
    require(
        !output || batch.outputs() < parameters.maxOutputs(),
        "too many outputs in a batch",
        parameters.maxOutputs());
    batch.add(token, position, output, sequences);
  }

  private static void require(boolean holds, String what, int limit) {
    if (!holds) {
      throw new IllegalStateException(what + " (" + limit + " tokens)");
    }
  }

  private void requireSequences(int[] sequences) {
    if (sequences.length == 0 || sequences.length > lengths.length) {
      throw new IllegalArgumentException(
          "a token of " + sequences.length + " sequences; allowed are 1 to " + lengths.length);
    }
    for (int i = 0; i < sequences.length; i++) {
      requireSequence(sequences[i]);
      if (lengths[sequences[i]] != lengths[sequences[0]]) {
        throw new IllegalArgumentException(
            "sequences "
                + sequences[0]
                + " and "
                + sequences[i]
                + " have "
                + lengths[sequences[0]]
                + " and "
                + lengths[sequences[i]]
                + " tokens; one token cannot be the next of both");
      }
      for (int j = 0; j < i; j++) {
        if (sequences[j] == sequences[i]) {
          throw new IllegalArgumentException("sequence " + sequences[i] + " is named twice");
        }
      }
    }
  }

  private void requireSequence(int sequence) {
    if (sequence < 0 || sequence >= lengths.length) {
      throw new IllegalArgumentException(
          "no sequence " + sequence + "; the context has 0 to " + (lengths.length - 1));
    }
  }

  /** Refuses what {@link LlamaContext#share} does not allow. */
  void requireShareable(int from, int to, int length) {
    requireSequence(from);
    requireSequence(to);
    if (lengths[to] != 0 || length < 1 || length > cells.length(from)) {
      throw new IllegalArgumentException(
          "sequence "
              + to
              + " of "
              + lengths[to]
              + " tokens cannot begin with "
              + length
              + " of the "
              + cells.length(from)
              + " tokens of sequence "
              + from);
    }
  }

  /** llama.cpp has let {@code to} begin with the first {@code length} tokens of {@code from}. */
  void shared(int from, int to, int length) {
    cells.share(from, to, length);
    lengths[to] = length;
  }

  /** Refuses what {@link LlamaContext#trim} does not allow. */
  void requireTrimmable(int sequence, int length) {
    requireSequence(sequence);
    if (batch.size() > 0) {
      throw new IllegalStateException(
          batch.size() + " tokens wait in the batch; decode them first");
    }
    if (length < 0 || length > lengths[sequence]) {
      throw new IllegalArgumentException(
          "sequence " + sequence + " has " + lengths[sequence] + " tokens; cannot keep " + length);
    }
  }

  /** llama.cpp has taken all but the first {@code length} tokens of a sequence out of the cache. */
  void trimmed(int sequence, int length) {
    cells.trim(sequence, length);
    lengths[sequence] = length;
  }

  /** The views of the batch; valid until it is decoded or cleared. */
  List<View> views() {
    return views;
  }

  /** The cells that a view is of, of which some are taken only when the batch is decoded. */
  int[] cellsOf(View view) {
    int[] seen = new int[view.length()];
    int known = Math.min(seen.length, cells.length(view.sequence()));
    for (int i = 0; i < known; i++) {
      seen[i] = cells.cell(view.sequence(), i);
    }
    int[] placed = cells.next(batch.size());
    for (int i = 0; known < seen.length; i++) {
      for (int sequence : batch.sequences(i)) {
        if (sequence == view.sequence() && known < seen.length) {
          seen[known++] = placed[i];
        }
      }
    }
    return seen;
  }

  /**
   * llama.cpp has computed the batch: its tokens are in the cache, and the batch is empty.
   *
   * @return the sequence of observers that are now in the cache, or -1
   */
  int decoded() {
    int[] placed = cells.next(batch.size());
    for (int i = 0; i < placed.length; i++) {
      cells.put(placed[i], batch.sequences(i));
    }
    int left = observers;
    clearBatch();
    return left;
  }

  private void clearBatch() {
    batch.clear();
    views.clear();
    observers = -1;
  }

  /** The cache and the batch are empty. */
  void cleared() {
    clearBatch();
    cells.clear();
    Arrays.fill(lengths, 0);
  }
}
