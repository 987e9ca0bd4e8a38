package dev.murmuration.machine;

import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.OptionalInt;
import java.util.Set;

/**
 * How many threads shall compute when nobody says: one a physical core that this process may use.
 *
 * <p>The two hardware threads of a core share what multiplies matrices, so a second one gains
 * nothing, and at every barrier the fast wait for the slow.
 */
public final class Processors {
  private final Path root;
  private final int available;

  /**
   * @param root what {@code /} is, for tests
   * @param available what Java may use: it knows of affinity, of quotas (rounded up) and of {@code
   *     -XX:ActiveProcessorCount}, but nothing of cores
   */
  Processors(Path root, int available) {
    this.root = root;
    this.available = available;
  }

  /** The default number of threads here. */
  public static int defaultThreads() {
    return new Processors(Path.of("/"), Runtime.getRuntime().availableProcessors()).threads();
  }

  int threads() {
    int threads = Math.min(available, cores().orElse(available));
    // Rounded down: a group that has used up its quota stops as a whole, Java's callers and
    // collector too, and a computation that waits at barriers for a stopped thread gains nothing.
    return (int) Math.max(1, Math.min(threads, Math.floor(quota())));
  }

  /** Distinct cores among the processors that this process may run on; empty where not known. */
  private OptionalInt cores() {
    Set<String> cores = new HashSet<>();
    for (String line : ControlGroups.lines(root.resolve("proc/self/status"))) {
      if (line.startsWith("Cpus_allowed_list:")) {
        for (int[] range : ranges(line.substring(line.indexOf(':') + 1))) {
          for (int processor = range[0]; processor <= range[1]; processor++) {
            cores.addAll(siblings(processor)); // None of a processor that is switched off.
          }
        }
      }
    }
    return cores.isEmpty() ? OptionalInt.empty() : OptionalInt.of(cores.size());
  }

  /** The hardware threads of a processor's core as the kernel lists them, which names the core. */
  private List<String> siblings(int processor) {
    Path topology = root.resolve("sys/devices/system/cpu/cpu" + processor + "/topology");
    List<String> listed = ControlGroups.lines(topology.resolve("core_cpus_list"));
    return listed.isEmpty()
        ? ControlGroups.lines(topology.resolve("thread_siblings_list")) // Before Linux 5.3.
        : listed;
  }

  /** Ranges of a list such as {@code 0-3,8}; none if it is anything else. */
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

  /** Processors' worth of time that the control groups grant. */
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

  /** "max" and -1 stand for no limit. */
  private static double share(String quota, String period) {
    long granted = ControlGroups.number(quota).orElse(-1L);
    long of = ControlGroups.number(period).orElse(-1L);
    return granted > 0 && of > 0 ? (double) granted / of : Double.MAX_VALUE;
  }
}
