package dev.murmuration.machine;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.Set;

/**
 * The default number of computing threads: one for each physical core that this process may use.
 *
 * <p>The hardware threads of a core share its arithmetic units. A second thread on a core makes
 * nothing faster, and every barrier waits for the slowest thread.
 */
public final class Processors {
  private final Path root;
  private final int available;

  /**
   * @param root the root of the file system; tests give another one
   * @param available the number of processors that Java reports. It respects affinity, quotas
   *     (rounded up) and {@code -XX:ActiveProcessorCount}, but counts hardware threads, not cores
   */
  Processors(Path root, int available) {
    this.root = root;
    this.available = available;
  }

  /** The default number of threads here. */
  public static int defaultThreads() {
    return new Processors(Path.of("/"), Runtime.getRuntime().availableProcessors()).threads();
  }

  /**
   * What this process may use.
   *
   * @param processors as Java counts them, hardware threads
   * @param cores empty where it is not known which of them share one
   * @param quota processors' time that control groups allow; empty without a limit
   * @param threads that compute if nobody says how many
   */
  public record Share(int processors, OptionalInt cores, OptionalDouble quota, int threads) {}

  /** What this process may use. */
  public static Share here() {
    return new Processors(Path.of("/"), Runtime.getRuntime().availableProcessors()).share();
  }

  Share share() {
    double quota = quota();
    return new Share(
        available,
        cores(),
        quota == Double.MAX_VALUE ? OptionalDouble.empty() : OptionalDouble.of(quota),
        threads());
  }

  int threads() {
    int threads = Math.min(available, cores().orElse(available));
    // Rounded down: when a group has used up its quota, the kernel stops all of its threads, also
    // Java's callers and garbage collector. One thread fewer is faster than such pauses.
    return (int) Math.max(1, Math.min(threads, Math.floor(quota())));
  }

  /** Distinct cores among the processors that this process may run on; empty where not known. */
  private OptionalInt cores() {
    Set<String> cores = new HashSet<>();
    for (String line : ControlGroups.lines(root.resolve("proc/self/status"))) {
      if (line.startsWith("Cpus_allowed_list:")) {
        for (int[] range : ranges(line.substring(line.indexOf(':') + 1))) {
          for (int processor = range[0]; processor <= range[1]; processor++) {
            cores.addAll(siblings(processor)); // A processor that is switched off lists none.
          }
        }
      }
    }
    return cores.isEmpty() ? OptionalInt.empty() : OptionalInt.of(cores.size());
  }

  /** The kernel's list of the hardware threads of a processor's core. It identifies the core. */
  private List<String> siblings(int processor) {
    Path topology = root.resolve("sys/devices/system/cpu/cpu" + processor + "/topology");
    List<String> listed = ControlGroups.lines(topology.resolve("core_cpus_list"));
    return listed.isEmpty()
        ? ControlGroups.lines(topology.resolve("thread_siblings_list")) // Before Linux 5.3.
        : listed;
  }

  /** The ranges in a list such as {@code 0-3,8}; none if the text is no such list. */
  private static List<int[]> ranges(String list) {
    try {
      return List.of(list.strip().split(",", -1)).stream()
          .map(range -> range.split("-", 2))
          .map(
              ends ->
                  new int[] {Integer.parseInt(ends[0]), Integer.parseInt(ends[ends.length - 1])})
          .toList();
    } catch (NumberFormatException e) {
      return List.of();
    }
  }

  /**
   * The processor time that the control groups allow, in processors; 1.5 is a processor and a half.
   */
  private double quota() {
    double quota = Double.MAX_VALUE;
    for (Path group : new ControlGroups(root).directories("cpu")) {
      for (String line : ControlGroups.lines(group.resolve("cpu.max"))) {
        String[] quotaAndPeriod = line.strip().split(" ", -1);
        if (quotaAndPeriod.length == 2) {
          quota = Math.min(quota, share(quotaAndPeriod[0], quotaAndPeriod[1]));
        }
      }
      for (String line : ControlGroups.lines(group.resolve("cpu.cfs_quota_us"))) {
        for (String period : ControlGroups.lines(group.resolve("cpu.cfs_period_us"))) {
          quota = Math.min(quota, share(line, period));
        }
      }
    }
    return quota;
  }

  /** Quota by period. Where there is no limit the quota is "max" or -1. */
  private static double share(String quota, String period) {
    long granted = ControlGroups.number(quota).orElse(-1L);
    long of = ControlGroups.number(period).orElse(-1L);
    return granted > 0 && of > 0 ? (double) granted / of : Double.MAX_VALUE;
  }
}
