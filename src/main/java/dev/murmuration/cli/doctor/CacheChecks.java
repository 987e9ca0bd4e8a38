package dev.murmuration.cli.doctor;

import dev.murmuration.llama.loading.ResourceCache;
import dev.murmuration.machine.FileSystems;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The directory into which the jar's files are extracted. */
final class CacheChecks {
  private CacheChecks() {}

  /**
   * Whether there is one.
   *
   * @param works whether all that this installation needs was found in it, or needs none
   */
  static Finding cache(boolean works) {
    List<ResourceCache.Place> places;
    try {
      places = ResourceCache.places();
    } catch (LinkageError | IllegalCallerException e) {
      return Finding.note("cache", "not looked at, because native access is denied");
    }
    List<String> refused = new ArrayList<>();
    for (ResourceCache.Place place : places) {
      Path directory = place.directory();
      String refusal = place.refusal() == null ? noExec(directory) : place.refusal();
      if (refusal == null) {
        String text = directory + (Files.exists(directory) ? "" : ", which the first use makes");
        Finding found =
            refused.isEmpty()
                ? Finding.ok("cache", text)
                : Finding.note("cache", text + ", because of " + String.join("; ", refused));
        return found.with("directory", directory.toString());
      }
      refused.add(directory + ": " + refusal);
      if (place.last()) {
        break;
      }
    }
    String text = "no directory can be used: " + String.join("; ", refused);
    return works
        ? Finding.note("cache", text + " (nothing has to be extracted here)")
        : Finding.problem("cache", text);
  }

  /** No code can be loaded from there; the place behind it is tried then. */
  private static String noExec(Path directory) {
    Path there = directory;
    while (Files.notExists(there)) {
      there = there.getParent();
    }
    try {
      return FileSystems.here().isNoExec(there.toRealPath())
          ? "its file system is mounted noexec, and libraries cannot be loaded from it; name a"
              + " directory elsewhere: XDG_CACHE_HOME=DIR in the environment"
          : null;
    } catch (IOException e) {
      return e.getMessage();
    }
  }
}
