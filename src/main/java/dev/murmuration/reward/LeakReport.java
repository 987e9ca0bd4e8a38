package dev.murmuration.reward;

import java.lang.ref.Cleaner;
import java.util.concurrent.atomic.AtomicBoolean;

/**
 * Says that a reward model was never closed, and where it was created. Only a report: freeing
 * belongs to whoever loaded it.
 */
final class LeakReport {
  private static final Cleaner CLEANER = Cleaner.create();

  private LeakReport() {}

  /**
   * Watches a model.
   *
   * @return to be set when it is closed
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
