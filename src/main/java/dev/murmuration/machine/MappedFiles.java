package dev.murmuration.machine;

import java.nio.file.Path;
import java.util.List;

/** The files that this process has mapped, libraries among them, as Linux lists them. */
public final class MappedFiles {
  private MappedFiles() {}

  /** Each file once; none on other systems. */
  public static List<Path> here() {
    return in(ControlGroups.lines(Path.of("/proc/self/maps")));
  }

  /** The files in the kernel's list, in which the name is what begins with a slash. */
  static List<Path> in(List<String> maps) {
    return maps.stream()
        .filter(line -> line.indexOf('/') >= 0)
        .map(line -> line.substring(line.indexOf('/')))
        .distinct()
        .map(Path::of)
        .toList();
  }
}
