package dev.murmuration.engine;

import dev.murmuration.llama.ContextParameters;
import dev.murmuration.llama.LlamaContext;
import dev.murmuration.llama.LlamaModel;
import dev.murmuration.memory.ContextMemory;
import dev.murmuration.memory.ContextSizes;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * A context that is small at first, and replaced by a larger one when texts need more cells than it
 * has: llama.cpp takes and zeroes the memory of a whole cache at once, a second and gigabytes for
 * the texts of a large model that may never come. One thread owns it, the context's own; only
 * {@link #cancel} may be called by others.
 */
public final class GrowingContext implements AutoCloseable {
  private final LlamaModel model;
  private final ContextSizes sizes;
  private final LongSupplier freeMemory;
  private final Consumer<Step> probe;

  private int cells;

  /** As many cells as there may be; fewer where an attempt to have them has failed. */
  private int most;

  private RuntimeException shortage;

  // Written by the owner under the lock. Null while it is replaced, and where that has failed.
  private LlamaContext context;
  // Guarded by the lock: what the next context begins with.
  private boolean cancelled;

  /**
   * Creates the first context.
   *
   * @param most cells that it may grow to
   * @param freeMemory in bytes, asked before it grows
   * @param probe told when it grows
   * @throws dev.murmuration.llama.LlamaException if the context cannot be created
   */
  public GrowingContext(
      LlamaModel model,
      ContextSizes sizes,
      int most,
      LongSupplier freeMemory,
      Consumer<Step> probe) {
    this.model = model;
    this.sizes = sizes;
    this.most = most;
    this.freeMemory = freeMemory;
    this.probe = probe;
    this.cells = sizes.first(most);
    replace(new LlamaContext(model, sizes.context(cells)));
  }

  /** The context, emptied; created again if it could not be the last time. */
  public LlamaContext cleared() {
    if (context == null) {
      replace(new LlamaContext(model, sizes.context(cells)));
    } else {
      context.clear();
    }
    return context;
  }

  /**
   * Replaces the context by one that is twice as large and has at least so many cells, or by one
   * that just has them, as far as there is memory.
   *
   * @return whether what it held is lost: it was replaced, by whatever could be had
   */
  public boolean grow(int least) {
    boolean lost = false;
    for (int wanted : new int[] {Math.max(2 * cells, least), least}) {
      int larger = sizes.context(Math.min(wanted, most)).cells();
      if (larger > cells && isFree(larger)) {
        lost = true;
        if (growTo(larger)) {
          break;
        }
      }
    }
    return lost;
  }

  private boolean growTo(int larger) {
    close();
    try {
      probe.accept(Step.GROW);
      replace(new LlamaContext(model, sizes.context(larger)));
      cells = larger;
      return true;
    } catch (RuntimeException e) {
      // It is not tried again: every attempt costs what the cache holds.
      most = larger - ContextParameters.CELL_GROUP;
      shortage = e;
      cleared();
      return false;
    }
  }

  /** Linux would grant memory that is not there, and kill the process when it is used. */
  private boolean isFree(int larger) {
    ContextMemory more = sizes.memory(larger);
    long needed = more.cache() + more.buffers() - sizes.memory(cells).cache();
    long free = freeMemory.getAsLong();
    if (needed <= free) {
      return true;
    }
    shortage =
        new IllegalStateException(
            "a key/value cache of "
                + larger
                + " cells takes "
                + (needed >> 20)
                + " MiB more, and "
                + (free >> 20)
                + " MiB are free; free some memory, or score shorter texts");
    return false;
  }

  /** Why it did not grow the last time that it should have, or null. */
  public RuntimeException shortage() {
    return shortage;
  }

  private synchronized void replace(LlamaContext next) {
    context = next;
    if (next != null) {
      next.cancel(cancelled);
    }
  }

  /** Any thread: as {@link LlamaContext#cancel}, also for the context that replaces this one. */
  synchronized void cancel(boolean value) {
    cancelled = value;
    if (context != null) {
      context.cancel(value);
    }
  }

  /** Frees the context. Closing twice is allowed. */
  @Override
  public void close() {
    LlamaContext old = context;
    replace(null);
    if (old != null) {
      old.close();
    }
  }
}
