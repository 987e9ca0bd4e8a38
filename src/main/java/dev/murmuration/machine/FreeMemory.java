package dev.murmuration.machine;

import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Optional;

/** The memory that can be allocated without swapping, as the system reports it. */
public final class FreeMemory {
  private final Path root;

  /**
   * @param root the root of the file system; tests give another one
   */
  FreeMemory(Path root) {
    this.root = root;
  }

  /**
   * What a control group has left.
   *
   * @param group its directory
   * @param bytes all that it may use
   * @param left of that
   */
  public record Limit(Path group, long bytes, long left) {}

  /** The control group with the least memory left of all that have a limit; empty if none has. */
  public static Optional<Limit> tightest() {
    return new FreeMemory(Path.of("/")).tightestLimit();
  }

  Optional<Limit> tightestLimit() {
    long machine = kibibytes("MemTotal:");
    return limits().stream()
        .filter(limit -> limit.bytes() < machine)
        .min(Comparator.comparingLong(Limit::left));
  }

  /** All memory of this machine, in bytes, whoever may use it. */
  public static long total() {
    long total = new FreeMemory(Path.of("/")).kibibytes("MemTotal:");
    return total == Long.MAX_VALUE ? systemTotal() : total;
  }

  private static long systemTotal() {
    return ManagementFactory.getOperatingSystemMXBean()
            instanceof com.sun.management.OperatingSystemMXBean system
        ? system.getTotalMemorySize()
        : Long.MAX_VALUE;
  }

  /** The free memory of this machine, in bytes. */
  public static long bytes() {
    long available = new FreeMemory(Path.of("/")).linux();
    // All memory, because what macOS calls "free" leaves out the caches, which it would give up.
    return available == Long.MAX_VALUE ? systemTotal() : available;
  }

  /**
   * The smallest of what the machine and its control groups have left; {@code Long.MAX_VALUE} if
   * none of them is known.
   */
  long linux() {
    long available = kibibytes("MemAvailable:");
    for (Limit limit : limits()) {
      available = Math.min(available, limit.left());
    }
    return available;
  }

  private List<Limit> limits() {
    List<Limit> limits = new ArrayList<>();
    for (Path group : new ControlGroups(root).directories("memory")) {
      limit(group, "memory.max", "memory.current", "").ifPresent(limits::add);
      limit(group, "memory.limit_in_bytes", "memory.usage_in_bytes", "total_")
          .ifPresent(limits::add);
    }
    return limits;
  }

  /** What the kernel lists under a name, in bytes. */
  private long kibibytes(String name) {
    for (String line : ControlGroups.lines(root.resolve("proc/meminfo"))) {
      if (line.startsWith(name)) {
        return ControlGroups.number(line.replaceAll("\\D", ""))
            .map(kib -> kib << 10)
            .orElse(Long.MAX_VALUE);
      }
    }
    return Long.MAX_VALUE;
  }

  private static Optional<Limit> limit(
      Path group, String limitFile, String usedFile, String prefix) {
    Long limit = ControlGroups.number(group.resolve(limitFile)).orElse(null);
    Long used = ControlGroups.number(group.resolve(usedFile)).orElse(null);
    if (limit == null || used == null) {
      return Optional.empty(); // A group of the other version, or one without a limit.
    }
    for (String line : ControlGroups.lines(group.resolve("memory.stat"))) {
      // Cached files count as free: the kernel drops them when memory is needed.
      if (line.startsWith(prefix + "inactive_file ") || line.startsWith(prefix + "active_file ")) {
        used -= ControlGroups.number(line.substring(line.indexOf(' '))).orElse(0L);
      }
    }
    return Optional.of(new Limit(group, limit, Math.max(0, limit - Math.max(0, used))));
  }
}
