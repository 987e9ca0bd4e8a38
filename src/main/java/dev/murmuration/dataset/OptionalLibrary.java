package dev.murmuration.dataset;

/** Libraries that only some data needs, and that may be absent where this one is embedded. */
public final class OptionalLibrary {
  private OptionalLibrary() {}

  /**
   * Looks for one before there is work that would be lost without it.
   *
   * @param className of the library
   * @throws NoClassDefFoundError if it is not there, as the JVM would throw it later
   */
  public static void require(String className) {
    try {
      Class.forName(className, false, OptionalLibrary.class.getClassLoader());
    } catch (ClassNotFoundException e) {
      NoClassDefFoundError missing = new NoClassDefFoundError(className.replace('.', '/'));
      missing.initCause(e);
      throw missing;
    }
  }
}
