package dev.murmuration.server;

import dev.murmuration.reward.RewardModel;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;

/**
 * A model and the name under which it is served. When its engine has ended by a failure it is
 * loaded once more. Any thread may use it.
 */
public final class ServedModel implements AutoCloseable {
  /** Loads a model. */
  @FunctionalInterface
  public interface Source {
    RewardModel load() throws IOException;
  }

  private final String name;
  private final Source source;
  private final ReentrantLock lock = new ReentrantLock();

  /** Written under the lock; read without it. */
  private volatile RewardModel model;

  /** Guarded by the lock. */
  private boolean closed;

  /** Loads the model. */
  public ServedModel(String name, Source source) throws IOException {
    this.name = name;
    this.source = source;
    this.model = source.load();
  }

  public String name() {
    return name;
  }

  /** The model as it is loaded now. */
  RewardModel model() {
    return model;
  }

  /**
   * Loads the model again in the place of one whose engine has ended.
   *
   * @return whether there is one now
   * @throws IOException if it cannot be loaded
   */
  boolean revive(RewardModel ended) throws IOException {
    lock.lock();
    try {
      if (model == ended && !closed) {
        // First, so that there is memory for the next.
        ended.close();
        model = source.load();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      model.close();
    } finally {
      lock.unlock();
    }
  }
}
