package dev.murmuration.benchmarks.comparison;

import java.io.IOException;

/**
 * The machine, where others measure on it, too: a lock of {@code flock(1)} that is held for some
 * turns and given back, so that they have theirs.
 */
final class Machine implements AutoCloseable {
  private static final double SECONDS = 30;

  private final String lock;
  private Process holder;
  private long since;

  /**
   * The machine.
   *
   * @param lock the file to lock; empty if nobody else is there
   */
  Machine(String lock) {
    this.lock = lock;
  }

  /** Called before what is measured: returns when the machine is there for it alone. */
  void take() throws IOException {
    if (lock.isEmpty() || (holder != null && System.nanoTime() - since < SECONDS * 1e9)) {
      return;
    }
    close();
    holder = new ProcessBuilder("flock", "-x", lock, "sh", "-c", "echo; cat").start();
    if (holder.getInputStream().read() < 0) {
      throw new IOException("flock could not lock " + lock + " (comparison.lock)");
    }
    since = System.nanoTime();
  }

  /** Gives it back. */
  @Override
  public void close() throws IOException {
    if (holder != null) {
      holder.getOutputStream().close();
      holder.onExit().join();
      holder = null;
    }
  }
}
