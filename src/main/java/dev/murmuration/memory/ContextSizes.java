package dev.murmuration.memory;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.machine.FreeMemory;
import dev.murmuration.machine.Processors;
import dev.murmuration.model.LlamaHyperparameters;
import dev.murmuration.model.ModelFile;
import java.util.ArrayList;
import java.util.List;

/**
 * Chooses a context's sizes: what the request say, and otherwise as much as serves and fits into
 * the memory that is free.
 *
 * @param request with a number of threads
 * @param available free memory in bytes, of which the weights will take their part
 */
public record ContextSizes(
    LlamaHyperparameters model, WeightMemory weights, ContextRequest request, long available) {
  /** A context and what it takes. */
  public record Choice(ContextParameters context, MemoryNeed need) {}

  /** With the processors and the free memory of this machine. */
  public static ContextSizes here(
      LlamaHyperparameters model, WeightMemory weights, ContextRequest request) {
    ContextRequest complete =
        request.threads() == 0
            ? request.threads(Math.min(Processors.defaultThreads(), ContextParameters.MAX_THREADS))
            : request;
    return new ContextSizes(model, weights, complete, FreeMemory.bytes());
  }

  /**
   * What loading a model would take with the memory that is free now.
   *
   * @throws IllegalArgumentException if the context is longer than the model takes
   */
  public static MemoryNeed need(ModelFile file, ContextRequest request) {
    int length = file.contextLength(request.contextLength());
    WeightMemory weights = WeightMemory.of(file.gguf(), file.shape(), request);
    return need(file.shape(), weights, length, request);
  }

  /** The same where there is no file yet, for a conversion to float16. */
  public static MemoryNeed need(
      LlamaHyperparameters model, int contextLength, ContextRequest request) {
    return need(model, WeightMemory.of(model, request), contextLength, request);
  }

  private static MemoryNeed need(
      LlamaHyperparameters model, WeightMemory weights, int contextLength, ContextRequest request) {
    return here(model, weights, request).choose(contextLength).need();
  }

  /**
   * Sizes for texts of up to {@code longest} tokens.
   *
   * @throws IllegalArgumentException if the cells asked for are fewer than that, or more than there
   *     can be
   */
  public Choice choose(int longest) {
    int cells = cells(longest);
    ContextParameters context = context(cells);
    MemoryNeed need = need(longest, context, null);
    if (fits(need)) {
      return new Choice(context, need);
    }
    return new Choice(context, need(longest, context, refusal(need)));
  }

  private int cells(int longest) {
    int least = groups(tiles(longest));
    if (request.cells() != 0) {
      if (request.cells() < longest || request.cells() > ContextParameters.MAX_CELLS) {
        throw new IllegalArgumentException(
            "cells is "
                + request.cells()
                + "; it takes "
                + longest
                + ", for the longest text (contextLength), to "
                + ContextParameters.MAX_CELLS);
      }
      return groups(request.cells());
    }
    long wanted = Math.max(2L * longest, Math.min(8L * longest, MemoryPolicy.USUAL_CELLS));
    int cells = Math.max(least, groups(Math.min(wanted, ContextParameters.MAX_CELLS)));
    while (cells > least && !comfortable(need(longest, context(cells), null))) {
      cells -= ContextParameters.CELL_GROUP;
    }
    return cells;
  }

  /** Whether all that is in use stays in memory. What was repacked is not read where it was. */
  private boolean comfortable(MemoryNeed need) {
    return need.total() - need.repacked() + MemoryPolicy.OVERHEAD <= available;
  }

  /** How many cells a context begins with that may have so many. */
  public int first(int most) {
    return request.cells() != 0 ? most : Math.min(most, ContextParameters.CELL_GROUP);
  }

  /** The cells of a context that holds so many sequences. */
  public static int cellsFor(int sequences) {
    return sequences * MemoryPolicy.CELLS_PER_SEQUENCE;
  }

  /** What a context with so many cells takes. */
  public ContextMemory memory(int cells) {
    return new ContextMemory(model, context(cells));
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
        fast || weights.ours(),
        request.readout());
  }

  private MemoryNeed need(int longest, ContextParameters context, String refusal) {
    ContextMemory memory = new ContextMemory(model, context);
    return new MemoryNeed(
        longest,
        context.cells(),
        weights.stored(),
        weights.repacked(),
        memory.cache(),
        memory.buffers(),
        available,
        refusal);
  }

  /**
   * Whether it can be had. A mapped file does not count: what of it finds no room is read again
   * when it is needed, which is slow but works. For the rest Linux would grant the memory first and
   * kill the process later.
   */
  private boolean fits(MemoryNeed need) {
    return need.total() - (weights.mapped() ? weights.stored() : 0) <= available;
  }

  private boolean fits(ContextRequest changed, int longest) {
    WeightMemory changedWeights =
        changed.memoryMap() == weights.mapped()
            ? weights
            : new WeightMemory(weights.stored(), weights.stored(), true, weights.ours());
    ContextSizes sizes = new ContextSizes(model, changedWeights, changed, available);
    return sizes.fits(sizes.need(longest, sizes.context(sizes.cells(longest)), null));
  }

  private String refusal(MemoryNeed need) {
    StringBuilder text = new StringBuilder();
    text.append("a context of ").append(need.contextLength()).append(" tokens needs ");
    text.append(mebibytes(need.total() - (weights.mapped() ? weights.stored() : 0)));
    text.append(" MiB (");
    if (!weights.mapped()) {
      text.append("weights ").append(mebibytes(weights.stored())).append(", ");
    } else if (weights.repacked() > 0) {
      text.append("repacked weights ").append(mebibytes(weights.repacked())).append(", ");
    }
    text.append("key/value cache of ").append(need.cells()).append(" cells ");
    text.append(mebibytes(need.cache()));
    text.append(", buffers ").append(mebibytes(need.buffers())).append("), and ");
    text.append(mebibytes(available)).append(" MiB are free; ");
    List<String> remedies = remedies(need);
    text.append(
        remedies.isEmpty()
            ? "no context fits: free some memory, or take a smaller model"
            : "what fits: " + String.join(", or ", remedies));
    return text.toString();
  }

  /** Single changes that make it fit. */
  private List<String> remedies(MemoryNeed need) {
    int longest = need.contextLength();
    List<String> remedies = new ArrayList<>();
    if (request.cells() != 0 && fits(request.cells(0), longest)) {
      int cells = need.cells();
      while (!fits(request.cells(cells), longest)) {
        cells -= ContextParameters.CELL_GROUP;
      }
      remedies.add("cells(" + cells + ")");
    }
    if (request.cells() == 0) {
      int length = (longest - 1) / ContextParameters.CELL_GROUP * ContextParameters.CELL_GROUP;
      while (length > 0 && !fits(request, length)) {
        length -= ContextParameters.CELL_GROUP;
      }
      if (length > 0) {
        remedies.add("contextLength(" + length + ")");
      }
    }
    if (request.exact() && fits(request.exact(false), longest)) {
      remedies.add("precision(FAST)");
    }
    int micro =
        tiles(Math.min(request.microBatchSize(), longest))
            / 2
            / MemoryPolicy.TILE
            * MemoryPolicy.TILE;
    while (micro > 0 && !fits(request.microBatchSize(micro), longest)) {
      micro = micro / 2 / MemoryPolicy.TILE * MemoryPolicy.TILE;
    }
    if (micro > 0) {
      remedies.add("microBatchSize(" + micro + ")");
    }
    if (!weights.mapped() && fits(request.memoryMap(true), longest)) {
      remedies.add("memoryMap(true)");
    }
    return remedies;
  }

  private static long mebibytes(long bytes) {
    return Math.ceilDiv(bytes, 1L << 20);
  }

  private static int tiles(int tokens) {
    // No cache is that large, and nothing overflows.
    int bounded = Math.min(tokens, ContextParameters.MAX_CELLS);
    return Math.ceilDiv(bounded, MemoryPolicy.TILE) * MemoryPolicy.TILE;
  }

  private static int groups(long cells) {
    return (int) (Math.ceilDiv(cells, ContextParameters.CELL_GROUP) * ContextParameters.CELL_GROUP);
  }
}
