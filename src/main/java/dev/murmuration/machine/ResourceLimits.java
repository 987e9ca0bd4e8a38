package dev.murmuration.machine;

import java.nio.file.Path;
import java.util.List;
import java.util.OptionalLong;

/** The limits that the kernel sets to this process ({@code ulimit}), as Linux lists them. */
public final class ResourceLimits {
  private final List<String> lines;

  ResourceLimits(List<String> lines) {
    this.lines = lines;
  }

  /** Those of this process. */
  public static ResourceLimits here() {
    return new ResourceLimits(ControlGroups.lines(Path.of("/proc/self/limits")));
  }

  /** Files and connections that may be open at once; empty where there is no limit. */
  public OptionalLong openFiles() {
    return soft("Max open files");
  }

  /** Bytes of addresses, of which mapped model files take as many as they have. */
  public OptionalLong addressSpace() {
    return soft("Max address space");
  }

  /** Bytes of a file that is written. */
  public OptionalLong fileSize() {
    return soft("Max file size");
  }

  private OptionalLong soft(String name) {
    for (String line : lines) {
      if (line.startsWith(name + " ")) {
        String value = line.substring(name.length()).strip().split("\\s+", 2)[0];
        return ControlGroups.number(value).map(OptionalLong::of).orElse(OptionalLong.empty());
      }
    }
    return OptionalLong.empty();
  }
}
