package dev.murmuration.llama.loading;

import java.lang.foreign.SymbolLookup;

/**
 * The C library of this process. Libraries that were built for glibc would fail with another one in
 * the middle of loading, or later, at the first call of something that it lacks.
 */
final class CLibrary {
  /** Every glibc has it, and no other C library. */
  private static final String MARK = "gnu_get_libc_version";

  private CLibrary() {}

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
