package dev.murmuration.machine;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;

/** The memory that can be allocated without swapping, as the system reports it. */
public final class FreeMemory {
  private final Path root;

  /**
   * @param root the root of the file system; tests give another one
   */
  FreeMemory(Path root) {
    this.root = root;
  }

  /** The free memory of this machine, in bytes. */
  public static long bytes() {
    long available = new FreeMemory(Path.of("/")).linux();
    if (available == Long.MAX_VALUE
        && ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system) {
      // All memory, because what macOS calls "free" leaves out the caches, which it would give up.
      return system.getTotalMemorySize();
    }
    return available;
  }

  /**
   * The smallest of what the machine and its control groups have left; {@code Long.MAX_VALUE} if
   * none of them is known.
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
      return Long.MAX_VALUE; // A group of the other version, or one without a limit.
    }
    for (String line : ControlGroups.lines(group.resolve("memory.stat"))) {
      // Cached files count as free: the kernel drops them when memory is needed.
      if (line.startsWith(prefix + "inactive_file ") || line.startsWith(prefix + "active_file ")) {
        used -= ControlGroups.number(line.substring(line.indexOf(' '))).orElse(0L);
      }
    }
    return Math.max(0, limit - Math.max(0, used));
  }
}
