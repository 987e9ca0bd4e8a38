package dev.murmuration.llama.loading;

import java.lang.foreign.FunctionDescriptor;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.lang.foreign.ValueLayout;
import java.util.Optional;

/**
 * The C library of this process. Libraries that were built for glibc would fail with another one in
 * the middle of loading, or later, at the first call of something that it lacks.
 */
public final class CLibrary {
  /** Every glibc has it, and no other C library. */
  private static final String MARK = "gnu_get_libc_version";

  private static final int LONGEST_VERSION = 64;

  private CLibrary() {}

  /** The version of glibc, such as {@code 2.36}; empty where the C library is another. */
  public static Optional<String> glibc() {
    Linker linker = Linker.nativeLinker();
    return linker.defaultLookup().find(MARK).map(mark -> version(linker, mark));
  }

  private static String version(Linker linker, MemorySegment mark) {
    try {
      MemorySegment text =
          (MemorySegment)
              linker.downcallHandle(mark, FunctionDescriptor.of(ValueLayout.ADDRESS)).invokeExact();
      return text.reinterpret(LONGEST_VERSION).getString(0);
    } catch (RuntimeException | Error e) {
      throw e;
    } catch (Throwable e) {
      throw new IllegalStateException(e); // A function of C throws nothing.
    }
  }

  /**
   * Refuses a build for glibc where there is none. That a glibc is too old says the system's
   * loader.
   *
   * @param glibc the version that it needs, or empty if it needs no glibc
   * @param place the build's jar or folder, for the message
   * @param process finds the functions of this process
   */
  static void require(String glibc, String place, SymbolLookup process) {
    if (!glibc.isEmpty() && process.find(MARK).isEmpty()) {
      throw new UnsatisfiedLinkError(
          "the native libraries in "
              + place
              + " need glibc "
              + glibc
              + " or newer, and the C library of this system is another, as musl is that of Alpine"
              + " Linux; run on a system with glibc, such as Debian, Ubuntu, Fedora or an image"
              + " made of them, or build Murmuration on this machine");
    }
  }
}
