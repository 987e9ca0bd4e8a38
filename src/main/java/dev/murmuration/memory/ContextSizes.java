package dev.murmuration.memory;

import dev.murmuration.architecture.ModelShape;
import dev.murmuration.llama.ContextParameters;
import dev.murmuration.machine.Processors;

/**
 * The sizes of a model's contexts. They differ in their cells; all other sizes follow from these
 * and from what is asked.
 *
 * @param request with a number of threads
 * @param flash whether flash attention computes in float32 where that is asked for
 * @param hostLayers layers that the CPU computes
 */
public record ContextSizes(
    ModelShape model, ContextRequest request, boolean flash, int hostLayers) {
  /** Where the request leaves the threads open, with as many as this machine has cores for. */
  public static ContextSizes here(ModelShape model, ContextRequest request, WeightMemory weights) {
    int threads =
        request.threads() == 0
            ? Math.min(Processors.defaultThreads(), ContextParameters.MAX_THREADS)
            : request.threads();
    return new ContextSizes(
        model,
        request.threads(threads),
        weights.flashInFloat32(model),
        weights.placement().hostLayers());
  }

  /** A context with so many cells. */
  public ContextParameters context(int cells) {
    int micro = Math.min(cells, tiles(request.microBatchSize()));
    int batch = request.batchSize() == 0 ? micro : Math.min(cells, tiles(request.batchSize()));
    int outputs = Math.min(MemoryPolicy.MAX_OUTPUTS, batch);
    int sequences =
        Math.min(ContextParameters.MAX_SEQUENCES, cells / MemoryPolicy.CELLS_PER_SEQUENCE);
    boolean fast = !request.exact();
    return new ContextParameters(
        cells,
        batch,
        Math.min(micro, batch),
        Math.min(sequences, outputs),
        outputs,
        request.threads(),
        fast,
        fast || flash,
        request.readout());
  }

  /** What a context with so many cells takes. */
  public ContextMemory memory(int cells) {
    return new ContextMemory(model, context(cells), hostLayers);
  }

  /** How many cells a context begins with that may have so many. */
  public int first(int most) {
    return request.cells() != 0 ? most : Math.min(most, ContextParameters.CELL_GROUP);
  }

  /** The cells of a context that holds so many sequences. */
  public static int cellsFor(int sequences) {
    return sequences * MemoryPolicy.CELLS_PER_SEQUENCE;
  }

  /** So many tokens, rounded up to whole tiles. */
  static int tiles(int tokens) {
    // No cache is that large, and nothing overflows.
    int bounded = Math.min(tokens, ContextParameters.MAX_CELLS);
    return Math.ceilDiv(bounded, MemoryPolicy.TILE) * MemoryPolicy.TILE;
  }

  /** So many cells, rounded up to what llama.cpp rounds up to. */
  static int groups(long cells) {
    return (int) (Math.ceilDiv(cells, ContextParameters.CELL_GROUP) * ContextParameters.CELL_GROUP);
  }
}
