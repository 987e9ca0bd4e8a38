package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_batch;
import dev.murmuration.llama.bindings.llama_context_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.Arrays;

/**
 * A key/value cache and the buffers to compute with. One thread creates it, uses it and closes it,
 * always the same one (OpenMP keeps a team of workers for every thread that computes); only {@link
 * #cancel} may be called by others.
 *
 * <p>Tokens are added to a batch with {@link #add}; {@link #decode} computes them all.
 */
public final class LlamaContext implements AutoCloseable {
  private final LlamaModel model;
  private final ContextParameters parameters;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment handle;
  private final int vocabularySize;
  private final int hiddenSize;

  // The batch, off-heap and reused. seqIds[i] points to the i-th entry of seqIdValues.
  private final MemorySegment batch;
  private final MemorySegment tokens;
  private final MemorySegment positions;
  private final MemorySegment sequences;
  private final MemorySegment outputs;
  private final MemorySegment rows;
  private final NativeError error;
  private int size;
  private int outputCount;

  // What the cache will hold after the batch: llama.cpp accepts a wrong position silently, so it is
  // checked here.
  private final int[] nextPosition;
  private int cells;
  private boolean closed;

  /**
   * Creates a context; its memory is taken and zeroed at once.
   *
   * @throws LlamaException if llama.cpp refuses, most often for lack of memory
   */
  public LlamaContext(LlamaModel model, ContextParameters parameters) {
    this.model = model;
    this.parameters = parameters;
    this.hiddenSize = model.hiddenSize();
    this.vocabularySize = model.vocabulary().size();
    this.nextPosition = new int[parameters.maxSequences()];
    MemorySegment modelHandle = model.acquireForContext();
    boolean created = false;
    try {
      error = new NativeError(arena);
      int capacity = parameters.batchSize();
      tokens = arena.allocate(ValueLayout.JAVA_INT, capacity);
      positions = arena.allocate(ValueLayout.JAVA_INT, capacity);
      sequences = arena.allocate(ValueLayout.JAVA_INT, capacity);
      outputs = arena.allocate(ValueLayout.JAVA_BYTE, capacity);
      rows = arena.allocate(ValueLayout.JAVA_FLOAT, (long) parameters.maxOutputs() * hiddenSize);
      batch = newBatch(capacity);
      handle = create(modelHandle).reinterpret(arena, Bindings::murmur_context_free);
      created = true;
    } finally {
      if (!created) {
        arena.close();
        model.contextClosed();
      }
    }
  }

  private MemorySegment newBatch(int capacity) {
    MemorySegment counts = arena.allocate(ValueLayout.JAVA_INT, capacity);
    MemorySegment pointers = arena.allocate(ValueLayout.ADDRESS, capacity);
    for (int i = 0; i < capacity; i++) {
      counts.setAtIndex(ValueLayout.JAVA_INT, i, 1);
      pointers.setAtIndex(ValueLayout.ADDRESS, i, sequences.asSlice(4L * i));
    }
    MemorySegment segment = llama_batch.allocate(arena);
    llama_batch.token(segment, tokens);
    llama_batch.embd(segment, MemorySegment.NULL);
    llama_batch.pos(segment, positions);
    llama_batch.n_seq_id(segment, counts);
    llama_batch.seq_id(segment, pointers);
    llama_batch.logits(segment, outputs);
    return segment;
  }

  private MemorySegment create(MemorySegment modelHandle) {
    MemorySegment params = Bindings.llama_context_default_params(arena);
    boolean plain = parameters.readout() == ContextParameters.Readout.EMBEDDINGS;
    int cacheType =
        parameters.halfPrecisionCache() ? Bindings.GGML_TYPE_F16() : Bindings.GGML_TYPE_F32();
    llama_context_params.n_ctx(params, parameters.contextLength());
    llama_context_params.n_batch(params, parameters.batchSize());
    llama_context_params.n_ubatch(params, parameters.microBatchSize());
    llama_context_params.n_seq_max(params, parameters.maxSequences());
    // With embeddings every token counts as an output, whatever is flagged; 0 stands for n_batch.
    llama_context_params.n_outputs_max(params, plain ? 0 : parameters.maxOutputs());
    llama_context_params.n_threads(params, parameters.threads());
    llama_context_params.n_threads_batch(params, parameters.threads());
    llama_context_params.type_k(params, cacheType);
    llama_context_params.type_v(params, cacheType);
    llama_context_params.flash_attn_type(
        params,
        parameters.flashAttention()
            ? Bindings.LLAMA_FLASH_ATTN_TYPE_ENABLED()
            : Bindings.LLAMA_FLASH_ATTN_TYPE_DISABLED());
    // One cache for all sequences, so that they can share a prefix.
    llama_context_params.kv_unified(params, true);
    llama_context_params.no_perf(params, true);
    MemorySegment created =
        Bindings.murmur_context_create(
            modelHandle,
            params,
            plain ? Bindings.MURMUR_READOUT_EMBEDDINGS() : Bindings.MURMUR_READOUT_PRUNED(),
            error.segment(),
            error.size());
    if (created.equals(MemorySegment.NULL)) {
      throw error.exception(
          "llama_init_from_model",
          0,
          "a context of "
              + parameters.contextLength()
              + " tokens could not be created; a smaller --ctx-size needs less memory");
    }
    Llama.drainLog();
    return created;
  }

  /** Most tokens in a batch. */
  public int batchSize() {
    return parameters.batchSize();
  }

  /** Most flagged tokens in a batch. */
  public int maxOutputs() {
    return parameters.maxOutputs();
  }

  /** Tokens added since the last {@link #decode} or {@link #clear}. */
  public int pending() {
    return size;
  }

  /**
   * Adds a token to the batch, behind the last one of its sequence.
   *
   * @param output whether {@link #decode} shall return its hidden state
   * @throws IllegalArgumentException if there is no such token or sequence
   * @throws IllegalStateException if the batch, its outputs or the cache are full
   */
  public void add(int token, int sequence, boolean output) {
    if (token < 0 || token >= vocabularySize) {
      throw new IllegalArgumentException(
          "no token " + token + "; the vocabulary has ids 0 to " + (vocabularySize - 1));
    }
    if (sequence < 0 || sequence >= nextPosition.length) {
      throw new IllegalArgumentException(
          "no sequence " + sequence + "; the context has 0 to " + (nextPosition.length - 1));
    }
    require(size < parameters.batchSize(), "the batch is full", parameters.batchSize());
    require(cells < parameters.contextLength(), "the context is full", parameters.contextLength());
    require(
        !output || outputCount < parameters.maxOutputs(),
        "too many outputs in a batch",
        parameters.maxOutputs());
    tokens.setAtIndex(ValueLayout.JAVA_INT, size, token);
    positions.setAtIndex(ValueLayout.JAVA_INT, size, nextPosition[sequence]++);
    sequences.setAtIndex(ValueLayout.JAVA_INT, size, sequence);
    outputs.set(ValueLayout.JAVA_BYTE, size, (byte) (output ? 1 : 0));
    size++;
    cells++;
    if (output) {
      outputCount++;
    }
  }

  private static void require(boolean holds, String what, int limit) {
    if (!holds) {
      throw new IllegalStateException(what + " (" + limit + " tokens)");
    }
  }

  /**
   * Computes the batch, which is empty afterwards.
   *
   * @return the hidden states of the flagged tokens, after the final norm, float32, row by row in
   *     the order in which they were added: shape [outputs, hiddenSize]
   * @throws DecodeAbortedException if {@link #cancel} asked for it; the cache is empty then
   * @throws LlamaException if llama.cpp fails or a hidden state is not finite; the cache is empty
   *     then
   */
  public float[] decode() {
    if (size == 0) {
      return new float[0];
    }
    llama_batch.n_tokens(batch, size);
    int expected = outputCount;
    int tokenCount = size;
    int result = decodeUnchecked(batch);
    size = 0;
    outputCount = 0;
    if (result != expected) {
      clear();
      if (result == Bindings.MURMUR_ABORTED()) {
        throw new DecodeAbortedException();
      }
      throw error.exception(
          "llama_decode",
          result,
          "decoding " + tokenCount + " tokens failed with " + describe(result, expected));
    }
    float[] states = rows.asSlice(0, 4L * expected * hiddenSize).toArray(ValueLayout.JAVA_FLOAT);
    requireFinite(states);
    return states;
  }

  /** Hands a batch to llama.cpp as it is; returns the shim's answer. */
  int decodeUnchecked(MemorySegment anyBatch) {
    return Bindings.murmur_context_decode(
        handle, anyBatch, rows, parameters.maxOutputs(), error.segment(), error.size());
  }

  /** What the shim wrote when it last failed. */
  String lastError() {
    return NativeError.text(error.segment());
  }

  private static String describe(int result, int expected) {
    if (result >= 0) {
      return result + " hidden states where " + expected + " were asked for";
    }
    if (result == Bindings.MURMUR_NO_KV_SLOT()) {
      return "code 1 (no room in the key/value cache)";
    }
    return switch (result) {
      case -1 -> "code -1 (invalid batch)";
      case -2 -> "code -2 (out of memory)";
      case -3 -> "code -3 (the computation failed)";
      default -> "code " + result;
    };
  }

  private void requireFinite(float[] states) {
    for (int i = 0; i < states.length; i++) {
      if (!Float.isFinite(states[i])) {
        clear();
        throw new LlamaException(
            "llama_decode",
            0,
            "a hidden state holds "
                + states[i]
                + "; the model's weights are damaged or overflow in this precision");
      }
    }
  }

  /** Empties cache and batch. */
  public void clear() {
    size = 0;
    outputCount = 0;
    cells = 0;
    Arrays.fill(nextPosition, 0);
    int code = Bindings.murmur_context_clear(handle, error.segment(), error.size());
    if (code != 0) {
      throw error.exception("llama_memory_clear", code, "the key/value cache could not be emptied");
    }
  }

  /**
   * Any thread: while set, a running decode ends early and a new one at once. It is noticed between
   * the nodes of the graph, on the CPU; a decode on a GPU runs to its end.
   */
  public void cancel(boolean cancelled) {
    Bindings.murmur_context_cancel(handle, cancelled ? 1 : 0);
  }

  /** Frees it. Closing twice is allowed. */
  @Override
  public void close() {
    if (!closed) {
      closed = true;
      arena.close();
      model.contextClosed();
    }
  }
}
