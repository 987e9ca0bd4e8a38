package dev.murmuration.llama;

import dev.murmuration.llama.bindings.llama_batch;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A {@code llama_batch}, off-heap and reused. Checks nothing: {@link LlamaContext} does, which
 * knows what the cache holds.
 */
final class TokenBatch {
  private final MemorySegment segment;
  private final MemorySegment tokens;
  private final MemorySegment positions;
  private final MemorySegment sequenceCounts;
  private final MemorySegment sequencePointers;
  private final MemorySegment sequenceLists;
  private final MemorySegment outputFlags;
  private final int[][] sequencesOfToken;
  private int size;
  private int outputs;

  // Tokens point to the list of their sequences; neighbours with the same ones share it.
  private int listedSequences;
  private MemorySegment lastList;

  /**
   * @param capacity most tokens
   * @param maxSequences most sequences of a token
   */
  TokenBatch(Arena arena, int capacity, int maxSequences) {
    tokens = arena.allocate(ValueLayout.JAVA_INT, capacity);
    positions = arena.allocate(ValueLayout.JAVA_INT, capacity);
    sequenceCounts = arena.allocate(ValueLayout.JAVA_INT, capacity);
    sequencePointers = arena.allocate(ValueLayout.ADDRESS, capacity);
    sequenceLists = arena.allocate(ValueLayout.JAVA_INT, (long) capacity * maxSequences);
    outputFlags = arena.allocate(ValueLayout.JAVA_BYTE, capacity);
    sequencesOfToken = new int[capacity][];
    segment = llama_batch.allocate(arena);
    llama_batch.token(segment, tokens);
    llama_batch.embd(segment, MemorySegment.NULL);
    llama_batch.pos(segment, positions);
    llama_batch.n_seq_id(segment, sequenceCounts);
    llama_batch.seq_id(segment, sequencePointers);
    llama_batch.logits(segment, outputFlags);
  }

  /** The structure, for the next decode. */
  MemorySegment segment() {
    llama_batch.n_tokens(segment, size);
    return segment;
  }

  int size() {
    return size;
  }

  /** Flagged tokens. */
  int outputs() {
    return outputs;
  }

  /** The sequences of a token; not to be changed. */
  int[] sequences(int index) {
    return sequencesOfToken[index];
  }

  /** Whether the last token has just these sequences. */
  boolean endsWith(int[] sequences) {
    return size > 0 && Arrays.equals(sequences, sequencesOfToken[size - 1]);
  }

  void add(int token, int position, boolean output, int[] sequences) {
    tokens.setAtIndex(ValueLayout.JAVA_INT, size, token);
    positions.setAtIndex(ValueLayout.JAVA_INT, size, position);
    outputFlags.set(ValueLayout.JAVA_BYTE, size, (byte) (output ? 1 : 0));
    if (endsWith(sequences)) {
      sequencesOfToken[size] = sequencesOfToken[size - 1];
    } else {
      lastList = sequenceLists.asSlice(4L * listedSequences, 4L * sequences.length);
      MemorySegment.copy(sequences, 0, lastList, ValueLayout.JAVA_INT, 0, sequences.length);
      listedSequences += sequences.length;
      sequencesOfToken[size] = sequences.clone();
    }
    sequenceCounts.setAtIndex(ValueLayout.JAVA_INT, size, sequences.length);
    sequencePointers.setAtIndex(ValueLayout.ADDRESS, size, lastList);
    size++;
    if (output) {
      outputs++;
    }
  }

  void clear() {
    size = 0;
    outputs = 0;
    listedSequences = 0;
  }
}
