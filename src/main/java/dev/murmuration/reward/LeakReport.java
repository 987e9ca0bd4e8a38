package dev.murmuration.reward;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Logs a warning when a reward model becomes garbage without having been closed, and where it was
 * created. It only reports and frees nothing.
 */
final class LeakReport {
  private static final Cleaner CLEANER = Cleaner.create();

  private LeakReport() {}

  /**
   * Watches a model.
   *
   * @return a flag, to be set when the model is closed
   */
  static AtomicBoolean of(Object model, String name) {
    AtomicBoolean closed = new AtomicBoolean();
    Throwable created = new Throwable("created here");
    CLEANER.register(
        model,
        () -> {
          if (!closed.get()) {
            System.getLogger(LeakReport.class.getPackageName())
                .log(
                    System.Logger.Level.WARNING,
                    "reward model " + name + " was never closed; its memory is lost",
                    created);
          }
        });
    return closed;
  }
}
