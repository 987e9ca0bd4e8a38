package dev.murmuration.checkpoint;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;

/**
 * A piece of a tensor that is read, converted and written at once. It is one run of numbers in the
 * checkpoint, or two runs with the same number of rows, whose rows alternate in the GGUF.
 *
 * @param source the tensor
 * @param first where the first run begins, in elements
 * @param second where the second run begins, or -1 if there is none
 * @param elements numbers in the whole piece
 */
record Chunk(StateDict.Source source, long first, long second, int elements) {
  /** Small enough for a processor's caches, large enough for a disk to read at full speed. */
  static final int MAX_ELEMENTS = 1 << 20;

  boolean isInterleaved() {
    return second >= 0;
  }

  /** The length of a row, in elements. */
  int rowLength() {
    return (int) (long) source.body().shape().getLast();
  }

  /** The pieces of a tensor in the order of the GGUF. */
  static Iterator<Chunk> of(StateDict.Source source) {
    return source.body().permutedHeads() == 0 ? runs(source) : heads(source);
  }

  /** All pieces of all tensors, created one tensor at a time. */
  static Iterator<Chunk> ofAll(List<StateDict.Source> sources) {
    Iterator<StateDict.Source> tensors = sources.iterator();
    return new Iterator<>() {
      private Iterator<Chunk> chunks = List.<Chunk>of().iterator();

      @Override
      public boolean hasNext() {
        while (!chunks.hasNext() && tensors.hasNext()) {
          chunks = of(tensors.next());
        }
        return chunks.hasNext();
      }

      @Override
      public Chunk next() {
        if (!hasNext()) {
          throw new NoSuchElementException();
        }
        return chunks.next();
      }
    };
  }

  private static Iterator<Chunk> runs(StateDict.Source source) {
    long total = source.tensor().elements();
    List<Chunk> chunks = new ArrayList<>();
    for (long at = 0; at < total; at += MAX_ELEMENTS) {
      chunks.add(new Chunk(source, at, -1, (int) Math.min(MAX_ELEMENTS, total - at)));
    }
    return chunks.iterator();
  }

  /** Rows 2j and 2j+1 of a head come from rows j and n/2+j of its n rows. */
  private static Iterator<Chunk> heads(StateDict.Source source) {
    long row = source.body().shape().getLast();
    long headRows = source.body().shape().getFirst() / source.body().permutedHeads();
    long half = headRows / 2;
    long step = Math.clamp(MAX_ELEMENTS / (2 * row), 1, half);
    List<Chunk> chunks = new ArrayList<>();
    for (int head = 0; head < source.body().permutedHeads(); head++) {
      for (long at = 0; at < half; at += step) {
        long rows = Math.min(step, half - at);
        long first = (head * headRows + at) * row;
        chunks.add(new Chunk(source, first, first + half * row, (int) (2 * rows * row)));
      }
    }
    return chunks.iterator();
  }
}
