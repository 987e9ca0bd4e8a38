package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_context_params;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A key/value cache and the buffers to compute with. One thread creates, uses and closes it,
 * because OpenMP keeps a team of workers for every thread that computes. Other threads may call
 * {@link #cancel} only.
 *
 * <p>Tokens are added to a batch with {@link #add}; {@link #decode} computes them all. They stay in
 * the cache as the beginning of their sequences until {@link #trim} or {@link #clear}. A token may
 * belong to several sequences, and {@link #share} lets a sequence begin with what another one holds
 * already: in both cases it is computed once and takes one cell.
 */
public final class LlamaContext implements AutoCloseable {
  private static final String LOST =
      "the GPU failed and is lost to this process, which has to be started again; the system's log"
          + " may say why";

  private final LlamaModel model;
  private final ContextParameters parameters;
  private final Arena arena = Arena.ofShared();
  private final MemorySegment handle;
  private final int hiddenSize;

  private final TokenBatch batch;
  private final MemorySegment rows;
  private final NativeError error;

  private final Sequences sequences;
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
    MemorySegment modelHandle = model.acquireForContext();
    boolean created = false;
    try {
      error = new NativeError(arena);
      batch = new TokenBatch(arena, parameters.batchSize(), parameters.maxSequences());
      sequences = new Sequences(batch, parameters, model.vocabulary().size());
      rows = arena.allocate(ValueLayout.JAVA_FLOAT, (long) parameters.maxOutputs() * hiddenSize);
      handle = create(modelHandle).reinterpret(arena, Bindings::murmur_context_free);
      created = true;
    } finally {
      if (!created) {
        arena.close();
        model.contextClosed();
      }
    }
  }

  private MemorySegment create(MemorySegment modelHandle) {
    MemorySegment params = Bindings.llama_context_default_params(arena);
    boolean plain = parameters.readout() == ContextParameters.Readout.EMBEDDINGS;
    int cacheType =
        parameters.halfPrecisionCache() ? Bindings.GGML_TYPE_F16() : Bindings.GGML_TYPE_F32();
    llama_context_params.n_ctx(params, parameters.cells());
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
    // Layers with a sliding window keep all tokens as well; otherwise no prefix could be shared or
    // trimmed.
    llama_context_params.swa_full(params, true);
    // Else a GPU that has some of the layers would get large products of the others, and with them
    // attention. For that llama.cpp copies keys and values of float32 first, a copy that our
    // kernels do without on the CPU.
    llama_context_params.op_offload(params, parameters.halfPrecisionCache());
    llama_context_params.no_perf(params, true);
    MemorySegment created =
        Bindings.murmur_context_create(
            modelHandle,
            params,
            plain ? Bindings.MURMUR_READOUT_EMBEDDINGS() : Bindings.MURMUR_READOUT_PRUNED(),
            error.segment(),
            error.size());
    if (created.equals(MemorySegment.NULL)) {
      LlamaException failure =
          error.exception(
              "llama_init_from_model",
              0,
              "a context of " + parameters.cells() + " tokens could not be created");
      throw failure.getMessage().contains("DeviceLost")
          ? new LlamaException("llama_init_from_model", 0, LOST + "; " + failure.getMessage())
          : new LlamaException(
              "llama_init_from_model",
              0,
              failure.getMessage() + "; a smaller contextLength needs less memory");
    }
    LlamaLog.drain();
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

  /** Most sequences at once. */
  public int maxSequences() {
    return parameters.maxSequences();
  }

  /** Cells of the cache that no token takes, those of the batch not counted. */
  public int freeCells() {
    return sequences.freeCells();
  }

  /** Cells of the cache that tokens take, those of the batch not counted. */
  public int usedCells() {
    return sequences.usedCells();
  }

  /** Tokens of a sequence, those in the batch included. */
  public int length(int sequence) {
    return sequences.length(sequence);
  }

  /**
   * Adds a token to the batch, behind the last one of its sequences, which must be equally long.
   *
   * @param output whether {@link #decode} shall return its hidden state
   * @param ofSequences the sequences that it belongs to, each once
   * @throws IllegalArgumentException if there is no such token or sequence
   * @throws IllegalStateException if the batch, its outputs or the cache are full
   */
  public void add(int token, boolean output, int... ofSequences) {
    sequences.add(token, output, ofSequences);
  }

  /**
   * Adds a flagged token that belongs to no text and looks at one: it attends to the first tokens
   * of a sequence, and not to itself. {@link #decode} takes it out of the cache again. The batch
   * must be one that is computed at once, of up to {@code microBatchSize} tokens.
   *
   * @param position as which it is computed; from 0
   * @param seen the sequence that it attends to; in the cache, or in the batch already
   * @param length how many of its first tokens; from 1
   * @param own an empty sequence, the same one for all observers in a batch
   * @throws IllegalArgumentException if there is no such token or sequence, or it is too short
   * @throws IllegalStateException if the batch, its outputs or the cache are full
   */
  public void addObserver(int token, int position, int seen, int length, int own) {
    sequences.addObserver(token, position, seen, length, own);
  }

  /**
   * Lets the empty sequence {@code to} begin with the first {@code length} tokens of {@code from},
   * which must be in the cache already. Nothing is copied.
   *
   * @throws IllegalArgumentException if {@code to} is not empty or {@code from} is shorter
   */
  public void share(int from, int to, int length) {
    sequences.requireShareable(from, to, length);
    requireDone(
        "llama_memory_seq_cp",
        Bindings.murmur_context_share(handle, from, to, length, error.segment(), error.size()));
    sequences.shared(from, to, length);
  }

  /**
   * Removes all tokens of a sequence but the first {@code length} from the cache. The batch must be
   * empty.
   */
  public void trim(int sequence, int length) {
    sequences.requireTrimmable(sequence, length);
    if (length < sequences.length(sequence)) {
      remove(sequence, length);
    }
  }

  private void remove(int sequence, int length) {
    requireDone(
        "llama_memory_seq_rm",
        Bindings.murmur_context_trim(handle, sequence, length, error.segment(), error.size()));
    sequences.trimmed(sequence, length);
  }

  /**
   * How many first tokens of a sequence can be continued in order: they lie in cells that ascend,
   * and so do those behind them that are added next, until {@link #trim} frees a cell. Attention
   * adds up in the order of the cells: out of order a sequence is computed to other bits. Tokens of
   * the batch are not counted.
   */
  public int inOrder(int sequence) {
    return sequences.inOrder(sequence);
  }

  /** The cell of a token that is in the cache. */
  public int cell(int sequence, int position) {
    return sequences.cell(sequence, position);
  }

  /**
   * The first cell that {@link #trim} to a length frees; {@link Integer#MAX_VALUE} if other
   * sequences use all.
   */
  public int firstOwnCell(int sequence, int length) {
    return sequences.firstOwnCell(sequence, length);
  }

  /**
   * Computes the batch, which is empty afterwards.
   *
   * @return the hidden states of the flagged tokens, after the final norm, float32, row by row in
   *     the order in which they were added: shape [outputs, hiddenSize]
   * @throws DecodeAbortedException if {@link #cancel} asked for it; the cache is empty then
   * @throws LlamaException if llama.cpp fails; the cache is empty then
   */
  public float[] decode() {
    if (batch.size() == 0) {
      return new float[0];
    }
    int expected = batch.outputs();
    int tokenCount = batch.size();
    announceViews();
    int result = decodeUnchecked(batch.segment());
    int observers = sequences.decoded();
    if (result != expected) {
      clear();
      if (result == Bindings.MURMUR_ABORTED()) {
        throw new DecodeAbortedException();
      }
      if (result == Bindings.MURMUR_DEVICE_LOST()) {
        throw error.exception("llama_decode", result, LOST);
      }
      throw error.exception(
          "llama_decode",
          result,
          "decoding " + tokenCount + " tokens failed with " + describe(result, expected));
    }
    if (observers >= 0) {
      remove(observers, 0);
    }
    return rows.asSlice(0, 4L * expected * hiddenSize).toArray(ValueLayout.JAVA_FLOAT);
  }

  private void announceViews() {
    for (Sequences.View view : sequences.views()) {
      try (Arena scratch = Arena.ofConfined()) {
        int[] cells = sequences.cellsOf(view);
        MemorySegment list = scratch.allocateFrom(ValueLayout.JAVA_INT, cells);
        requireDone(
            "murmur_context_view",
            Bindings.murmur_context_view(
                handle, view.index(), list, cells.length, error.segment(), error.size()));
      }
    }
  }

  /** Hands a batch to llama.cpp as it is; returns the shim's answer. */
  int decodeUnchecked(MemorySegment anyBatch) {
    return Bindings.murmur_context_decode(
        handle, anyBatch, rows, parameters.maxOutputs(), error.segment(), error.size());
  }

  /** What the shim wrote when it last failed. */
  String lastError() {
    return LlamaLog.text(error.segment());
  }

  private static String describe(int result, int expected) {
    if (result >= 0) {
      return result + " hidden states where " + expected + " were asked for";
    }
    if (result == Bindings.MURMUR_NO_KV_SLOT()) {
      return "code 1 (no room in the key/value cache)";
    }
    if (result == Bindings.MURMUR_ASSERT()) {
      return "code " + result + " (an assertion of llama.cpp does not hold)";
    }
    return switch (result) {
      case -1 -> "code -1 (invalid batch)";
      case -2 -> "code -2 (out of memory)";
      case -3 -> "code -3 (the computation failed)";
      default -> "code " + result;
    };
  }

  /** Empties cache and batch. */
  public void clear() {
    sequences.cleared();
    requireDone(
        "llama_memory_clear", Bindings.murmur_context_clear(handle, error.segment(), error.size()));
  }

  private void requireDone(String function, int code) {
    if (code != 0) {
      throw error.exception(function, code, "the key/value cache could not be changed");
    }
  }

  /**
   * Any thread may call. While set, a running decode ends early and a new one at once: on the CPU
   * after the operation that is computed, on a GPU after some layers.
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
