package dev.murmuration.memory;

import dev.murmuration.llama.ContextParameters;

/**
 * Whether contexts fit into the memory that is free.
 *
 * @param available free memory in bytes, of which the weights will take their part
 */
record ContextFit(ContextSizes sizes, WeightMemory weights, long available) {
  /**
   * Cells of the largest context that serves: as many as are asked for, and otherwise those of two
   * texts or of a usual best of eight, as far as all that is in use stays in memory, and of one
   * text in any case.
   *
   * @param longest tokens of the longest text
   * @throws IllegalArgumentException if the cells asked for are fewer than that, or more than there
   *     can be
   */
  int cells(int longest) {
    int asked = sizes.request().cells();
    if (asked == 0) {
      return chosenCells(longest);
    }
    if (asked < longest || asked > ContextParameters.MAX_CELLS) {
      throw new IllegalArgumentException(
          "cells is "
              + asked
              + "; it takes "
              + longest
              + ", for the longest text (contextLength), to "
              + ContextParameters.MAX_CELLS);
    }
    return ContextSizes.groups(asked);
  }

  private int chosenCells(int longest) {
    int least = ContextSizes.groups(ContextSizes.tiles(longest));
    long wanted = Math.max(2L * longest, Math.min(8L * longest, MemoryPolicy.USUAL_CELLS));
    int cells = Math.max(least, ContextSizes.groups(Math.min(wanted, ContextParameters.MAX_CELLS)));
    while (cells > least && !staysInMemory(need(longest, cells))) {
      cells -= ContextParameters.CELL_GROUP;
    }
    return cells;
  }

  /** Whether all that is in use does. What was repacked is not read where it was. */
  private boolean staysInMemory(MemoryNeed need) {
    return need.total() - need.repacked() + MemoryPolicy.OVERHEAD <= available
        && need.devices().stream().allMatch(DeviceNeed::fits);
  }

  /** What a context with so many cells takes, and the weights. */
  MemoryNeed need(int longest, int cells) {
    ContextMemory memory = sizes.memory(cells);
    return new MemoryNeed(
        longest,
        memory.context().cells(),
        sizes.hostLayers(),
        weights.stored(),
        weights.repacked(),
        memory.cache(),
        memory.buffers(),
        weights.placement().shares().stream().map(share -> need(share, memory)).toList(),
        available,
        null);
  }

  private static DeviceNeed need(Placement.Share share, ContextMemory memory) {
    return new DeviceNeed(
        share.device().name(),
        share.layers(),
        share.weights(),
        memory.cache(share.layers()),
        memory.deviceBuffers(),
        share.device().freeBytes());
  }

  /** Whether the context for texts of so many tokens can be had. */
  boolean fits(int longest) {
    return fits(need(longest, cells(longest)));
  }

  boolean fits(MemoryNeed need) {
    return claimed(need) <= available && need.devices().stream().allMatch(DeviceNeed::fits);
  }

  /**
   * Bytes that have to be free. A mapped file does not count: what of it finds no room is read
   * again when it is needed, which is slow but works. For the rest Linux would grant the memory
   * first and kill the process later.
   */
  long claimed(MemoryNeed need) {
    return need.total() - (weights.mapped() ? weights.stored() : 0);
  }

  /** The same model and memory with another request. */
  ContextFit with(ContextRequest changed) {
    WeightMemory mapped = changed.memoryMap() && !weights.mapped() ? weights.ifMapped() : weights;
    WeightMemory placed =
        changed.gpuLayers() == sizes.request().gpuLayers()
            ? mapped
            : mapped.withLayers(changed.gpuLayers());
    return new ContextFit(
        new ContextSizes(sizes.model(), changed, sizes.flash(), placed.placement().hostLayers()),
        placed,
        available);
  }
}
