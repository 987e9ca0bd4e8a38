package dev.murmuration.memory;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.ContextParameters.Readout;
import dev.murmuration.llama.ModelParameters;
import java.util.function.Consumer;

/**
 * What a caller asks of a context. 0 stands for a value that is chosen for the model and this
 * machine.
 *
 * @param exact whether attention is computed in float32
 * @param contextLength tokens of the longest text
 * @param cells tokens of all texts that the key/value cache holds, from the start
 * @param batchSize most tokens handed to llama.cpp in a call
 * @param microBatchSize most tokens computed at once; at least 1
 * @param threads that compute
 * @param gpuLayers layers of the model that go to a GPU; -1 for all where there is one
 * @param device names of the devices that get them, with commas between; null for a choice
 * @param memoryMap whether the weights are mapped, or read into memory
 * @param readout which hidden states are computed to the end
 */
public record ContextRequest(
    boolean exact,
    int contextLength,
    int cells,
    int batchSize,
    int microBatchSize,
    int threads,
    int gpuLayers,
    String device,
    boolean memoryMap,
    Readout readout) {
  /** What is asked when nothing is said. */
  public static final ContextRequest DEFAULTS =
      new ContextRequest(
          false, 0, 0, 0, 512, 0, ModelParameters.ALL_LAYERS, null, true, Readout.PRUNED);

  /**
   * Checks the numbers.
   *
   * @throws IllegalArgumentException if one is out of range
   */
  public ContextRequest {
    atLeast(0, "contextLength", contextLength);
    atLeast(0, "cells", cells);
    atLeast(0, "batchSize", batchSize);
    atLeast(1, "microBatchSize", microBatchSize);
    atLeast(ModelParameters.ALL_LAYERS, "gpuLayers", gpuLayers);
    if (threads < 0 || threads > ContextParameters.MAX_THREADS) {
      throw new IllegalArgumentException(
          "threads is "
              + threads
              + "; it takes 1 to "
              + ContextParameters.MAX_THREADS
              + ", or 0 for the default");
    }
  }

  private static void atLeast(int minimum, String name, int value) {
    if (value < minimum) {
      throw new IllegalArgumentException(name + " is " + value + "; the least is " + minimum);
    }
  }

  /** The same with another {@link #exact}. */
  public ContextRequest exact(boolean value) {
    return with(draft -> draft.exact = value);
  }

  /** The same with another {@link #contextLength}. */
  public ContextRequest contextLength(int value) {
    return with(draft -> draft.contextLength = value);
  }

  /** The same with another {@link #cells}. */
  public ContextRequest cells(int value) {
    return with(draft -> draft.cells = value);
  }

  /** The same with another {@link #batchSize}. */
  public ContextRequest batchSize(int value) {
    return with(draft -> draft.batchSize = value);
  }

  /** The same with another {@link #microBatchSize}. */
  public ContextRequest microBatchSize(int value) {
    return with(draft -> draft.microBatchSize = value);
  }

  /** The same with another {@link #threads}. */
  public ContextRequest threads(int value) {
    return with(draft -> draft.threads = value);
  }

  /** The same with another {@link #gpuLayers}. */
  public ContextRequest gpuLayers(int value) {
    return with(draft -> draft.gpuLayers = value);
  }

  /** The same with another {@link #device}. */
  public ContextRequest device(String value) {
    return with(draft -> draft.device = value);
  }

  /** The same with another {@link #memoryMap}. */
  public ContextRequest memoryMap(boolean value) {
    return with(draft -> draft.memoryMap = value);
  }

  /**
   * The same with another {@link #readout}: whether the last layer is computed for every token, or
   * for those that are read.
   */
  public ContextRequest everyOutput(boolean value) {
    return with(draft -> draft.readout = value ? Readout.EMBEDDINGS : Readout.PRUNED);
  }

  private ContextRequest with(Consumer<Draft> change) {
    Draft draft = new Draft(this);
    change.accept(draft);
    return draft.request();
  }

  /** A request while it is copied. */
  private static final class Draft {
    private boolean exact;
    private int contextLength;
    private int cells;
    private int batchSize;
    private int microBatchSize;
    private int threads;
    private int gpuLayers;
    private String device;
    private boolean memoryMap;
    private Readout readout;

    Draft(ContextRequest of) {
      exact = of.exact;
      contextLength = of.contextLength;
      cells = of.cells;
      batchSize = of.batchSize;
      microBatchSize = of.microBatchSize;
      threads = of.threads;
      gpuLayers = of.gpuLayers;
      device = of.device;
      memoryMap = of.memoryMap;
      readout = of.readout;
    }

    ContextRequest request() {
      return new ContextRequest(
          exact,
          contextLength,
          cells,
          batchSize,
          microBatchSize,
          threads,
          gpuLayers,
          device,
          memoryMap,
          readout);
    }
  }
}
