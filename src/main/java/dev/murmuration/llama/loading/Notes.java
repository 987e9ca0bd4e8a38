package dev.murmuration.llama.loading;

import java.lang.System.Logger.Level;
import java.util.ArrayList;
import java.util.List;

/**
 * Keeps what is reported while libraries are loaded, and logs it when the whole log is asked for,
 * which can only happen later. Any thread may call.
 */
public final class Notes {
  private static final System.Logger LOGGER = System.getLogger("dev.murmuration.llama");

  // Guarded by itself.
  private static final List<String> KEPT = new ArrayList<>();
  private static boolean verbose;

  private Notes() {}

  /** Whether notes are logged, those too that were made before. */
  public static void setVerbose(boolean value) {
    synchronized (KEPT) {
      verbose = value;
      if (verbose) {
        KEPT.forEach(note -> LOGGER.log(Level.INFO, note));
        KEPT.clear();
      }
    }
  }

  static void add(String note) {
    synchronized (KEPT) {
      if (verbose) {
        LOGGER.log(Level.INFO, note);
      } else {
        KEPT.add(note);
      }
    }
  }
}
