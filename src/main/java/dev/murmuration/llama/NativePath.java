package dev.murmuration.llama;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.FileSystems;
import java.nio.file.Path;
import java.util.HexFormat;

/** Paths as C functions take them. */
final class NativePath {
  private NativePath() {}

  /**
   * The absolute path as a C string of the bytes that it has in the file system. These are not
   * always its text in UTF-8, because the JDK decodes names in the charset of the locale. They are
   * taken from the path's URI, which holds them as they are.
   *
   * @throws IllegalArgumentException if the path is not of the system's own file system
   */
  static MemorySegment of(Path path, Arena arena) {
    if (!path.getFileSystem().equals(FileSystems.getDefault())) {
      throw new IllegalArgumentException(
          path + " lies in " + path.getFileSystem() + "; llama.cpp needs a file of this machine");
    }
    String escaped = path.toAbsolutePath().toUri().getRawPath();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(escaped.length() + 1);
    for (int i = 0; i < escaped.length(); i++) {
      if (escaped.charAt(i) == '%') {
        bytes.write(HexFormat.fromHexDigits(escaped, i + 1, i + 3));
        i += 2;
      } else {
        bytes.write(escaped.charAt(i));
      }
    }
    bytes.write(0);
    return arena.allocateFrom(ValueLayout.JAVA_BYTE, bytes.toByteArray());
  }
}
