package dev.murmuration.llama;

import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * How long the native model lives: until it is closed and the last call that reads it, of which
 * tokenizing may take a second or two, has ended. Closing does not wait for those calls. Any thread
 * may call.
 */
final class ModelLifetime {
  /** A call that reads the model. */
  interface Use extends AutoCloseable {
    @Override
    void close();
  }

  private final Arena arena = Arena.ofShared();
  // The owner counts as one. 0: freed.
  private final AtomicInteger users = new AtomicInteger(1);
  private final AtomicBoolean closed = new AtomicBoolean();
  private final Use use = this::leave;

  /**
   * Keeps the model alive until the result is closed.
   *
   * @throws IllegalStateException if the model is closed
   */
  Use use() {
    boolean alive = users.getAndUpdate(count -> count == 0 ? 0 : count + 1) > 0;
    boolean open = alive && !closed.get();
    if (alive && !open) {
      leave();
    }
    if (!open) {
      throw new IllegalStateException("the model is closed");
    }
    return use;
  }

  private void leave() {
    if (users.decrementAndGet() == 0) {
      arena.close();
    }
  }

  /** Frees the model, or lets the last call that reads it do so. */
  void close() {
    if (closed.compareAndSet(false, true)) {
      leave();
    }
  }

  /** What the model's memory belongs to. */
  Arena arena() {
    return arena;
  }
}
