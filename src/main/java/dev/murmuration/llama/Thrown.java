package dev.murmuration.llama;

/**
 * What a callback throws while llama.cpp calls it. An exception that leaves an upcall ends the JVM:
 * it is kept here, and thrown on when llama.cpp has returned. Whatever it is: a checked exception
 * can be thrown where none is declared, and Kotlin and Scala do.
 */
final class Thrown {
  private Throwable kept;

  /** Runs {@code callback}, unless an earlier one threw; false tells llama.cpp to stop. */
  boolean run(Runnable callback) {
    if (kept != null) {
      return false;
    }
    try {
      callback.run();
      return true;
    } catch (Throwable e) {
      kept = e;
      return false;
    }
  }

  /** Throws what was thrown, if anything was; the type parameter hides a checked exception. */
  @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"})
  <T extends Throwable> void rethrow() throws T {
    if (kept != null) {
      throw (T) kept;
    }
  }
}
