package dev.murmuration.machine;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** Memory that can be had without swapping, as far as the system tells. */
public final class FreeMemory {
  private final Path root;

  /**
   * @param root what {@code /} is, for tests
   */
  FreeMemory(Path root) {
    this.root = root;
  }

  /** In bytes. */
  public static long bytes() {
    long available = new FreeMemory(Path.of("/")).linux();
    if (available == Long.MAX_VALUE
        && ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system) {
      // No better answer on macOS: what is "free" there leaves out most of what can be had.
      return system.getTotalMemorySize();
    }
    return available;
  }

  /**
   * The least of what the machine and the control groups have left; the largest long if unknown.
   */
  long linux() {
    long available = machine();
    for (Path group : new ControlGroups(root).directories("memory")) {
      available = Math.min(available, left(group, "memory.max", "memory.current", ""));
      available =
          Math.min(
              available, left(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_"));
    }
    return available;
  }

  private long machine() {
    for (String line : ControlGroups.lines(root.resolve("proc/meminfo"))) {
      if (line.startsWith("MemAvailable:")) {
        return ControlGroups.number(line.replaceAll("\\D", ""))
            .map(kib -> kib << 10)
            .orElse(Long.MAX_VALUE);
      }
    }
    return Long.MAX_VALUE;
  }

  private static long left(Path group, String limitFile, String usedFile, String prefix) {
    Long limit = ControlGroups.number(group.resolve(limitFile)).orElse(null);
    Long used = ControlGroups.number(group.resolve(usedFile)).orElse(null);
    if (limit == null || used == null) {
      return Long.MAX_VALUE; // The other version's group, or no limit.
    }
    for (String line : ControlGroups.lines(group.resolve("memory.stat"))) {
      // Cached files: dropped when there is need, so not used up.
      if (line.startsWith(prefix + "inactive_file ") || line.startsWith(prefix + "active_file ")) {
        used -= ControlGroups.number(line.substring(line.indexOf(' '))).orElse(0L);
      }
    }
    return Math.max(0, limit - Math.max(0, used));
  }
}
