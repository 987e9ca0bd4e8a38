package dev.murmuration.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * The C library that this process runs on. Libraries that were built for glibc cannot be loaded
 * where it is musl, as on Alpine.
 *
 * @param name {@code glibc} or {@code musl}
 * @param version such as {@code 2.36}; empty where it is not known, as of musl
 */
public record SystemLibrary(String name, String version) {
  private static final int LARGEST = 64 << 20;
  private static final Pattern GLIBC_FILE = Pattern.compile("libc(-[\\d.]+)?\\.so(\\.6)?");
  private static final Pattern GLIBC_VERSION =
      Pattern.compile("GNU C Library [^\\n]{0,80}? version (\\d+\\.\\d+)");

  /** That of this process; empty on other systems than Linux. */
  public static Optional<SystemLibrary> here() {
    return among(MappedFiles.here());
  }

  /** The one among the files that a process has mapped. */
  static Optional<SystemLibrary> among(List<Path> mapped) {
    for (Path file : mapped) {
      String name = String.valueOf(file.getFileName());
      if (name.startsWith("ld-musl") || name.startsWith("libc.musl")) {
        return Optional.of(new SystemLibrary("musl", ""));
      }
      if (GLIBC_FILE.matcher(name).matches()) {
        return Optional.of(new SystemLibrary("glibc", glibcVersion(file)));
      }
    }
    return Optional.empty();
  }

  /** The file names itself in a text that it prints when it is run. */
  private static String glibcVersion(Path file) {
    try {
      if (Files.size(file) > LARGEST) {
        return "";
      }
      Matcher version =
          GLIBC_VERSION.matcher(new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1));
      return version.find() ? version.group(1) : "";
    } catch (IOException e) {
      return "";
    }
  }

  /** Both, such as {@code glibc 2.36}. */
  @Override
  public String toString() {
    return version.isEmpty() ? name : name + " " + version;
  }
}
