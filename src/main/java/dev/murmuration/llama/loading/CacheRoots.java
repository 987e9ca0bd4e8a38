package dev.murmuration.llama.loading;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Where extracted files may go: the first place that can be used is taken. */
final class CacheRoots {
  static final String PROPERTY = "murmuration.cache.dir";

  private CacheRoots() {}

  /**
   * System property {@code murmuration.cache.dir}, and nothing else if it is set. Else {@code
   * $XDG_CACHE_HOME/murmuration}, or, where that is not set, {@code ~/Library/Caches/murmuration}
   * on macOS and {@code ~/.cache/murmuration} elsewhere; then {@link #temporary}.
   */
  static List<Path> here(int user) {
    return of(
        System.getProperty(PROPERTY),
        System.getenv("XDG_CACHE_HOME"),
        System.getProperty("user.home"),
        System.getProperty("os.name").startsWith("Mac"),
        temporary(user));
  }

  /** A directory for each user below the temporary one, for those who have no other. */
  static Path temporary(int user) {
    return Path.of(System.getProperty("java.io.tmpdir"), "murmuration-" + user).toAbsolutePath();
  }

  /** Whether the directory was named by a system property, and no other may take its place. */
  static boolean named() {
    return isGiven(System.getProperty(PROPERTY));
  }

  // A relative home is none: the JDK says "?" where the system knows no home, and the files of
  // another user's working directory are not to be trusted.
  static List<Path> of(String named, String xdg, String home, boolean mac, Path temporary) {
    if (isGiven(named)) {
      return List.of(Path.of(named).toAbsolutePath());
    }
    List<Path> roots = new ArrayList<>();
    if (isGiven(xdg) && Path.of(xdg).isAbsolute()) {
      roots.add(Path.of(xdg, "murmuration"));
    } else if (isGiven(home) && Path.of(home).isAbsolute()) {
      roots.add(Path.of(home).resolve(mac ? "Library/Caches" : ".cache").resolve("murmuration"));
    }
    roots.add(temporary);
    return List.copyOf(roots);
  }

  private static boolean isGiven(String value) {
    return value != null && !value.isBlank();
  }
}
