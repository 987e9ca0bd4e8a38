package dev.murmuration.cli.doctor;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.llama.loading.CLibrary;
import dev.murmuration.llama.loading.Platform;
import dev.murmuration.machine.FreeMemory;
import dev.murmuration.machine.ResourceLimits;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalLong;

/** Java, the system below it, and the limits that the system sets to this process. */
final class SystemChecks {
  /** The server keeps a descriptor for each connection, beside some dozens of Java's own. */
  private static final long FEW_FILES = 1024;

  private SystemChecks() {}

  static Finding java() {
    long heap = Runtime.getRuntime().maxMemory();
    String text =
        "Java "
            + System.getProperty("java.runtime.version")
            + " by "
            + System.getProperty("java.vendor")
            + " in "
            + System.getProperty("java.home")
            + ", heap up to "
            + Numbers.bytes(heap);
    FreeMemory.Limit limit = FreeMemory.tightest().orElse(null);
    Finding found =
        limit != null && limit.bytes() < heap
            ? Finding.note(
                "java",
                text
                    + ", which is more than the control group may use, "
                    + Numbers.bytes(limit.bytes())
                    + ": it ends the process that takes more; MURMUR_JAVA_OPTS=-Xmx256m lowers it")
            : Finding.ok("java", text);
    return found
        .with("version", System.getProperty("java.runtime.version"))
        .with("vendor", System.getProperty("java.vendor"))
        .with("home", System.getProperty("java.home"))
        .with("max_heap_bytes", heap);
  }

  static Finding system() {
    String glibc = glibc();
    return Finding.ok(
            "system",
            System.getProperty("os.name")
                + " "
                + System.getProperty("os.version")
                + ", "
                + Platform.name()
                + (glibc == null ? "" : ", glibc " + glibc))
        .with("platform", Platform.name())
        .with("glibc", glibc);
  }

  private static String glibc() {
    try {
      return CLibrary.glibc().orElse(null);
    } catch (IllegalCallerException e) {
      return null; // Native access is denied, which the check of the library says.
    }
  }

  static Finding memory() {
    long free = FreeMemory.bytes();
    FreeMemory.Limit limit = FreeMemory.tightest().orElse(null);
    String text =
        Numbers.bytes(free)
            + " free of "
            + Numbers.bytes(FreeMemory.total())
            + (limit == null
                ? "; no control group limits it"
                : "; the control group "
                    + limit.group()
                    + " has "
                    + Numbers.bytes(limit.left())
                    + " left of "
                    + Numbers.bytes(limit.bytes()));
    return Finding.ok("memory", text)
        .with("free_bytes", free)
        .with("total_bytes", FreeMemory.total())
        .with("control_group", limit == null ? null : limit.group().toString())
        .with("control_group_limit_bytes", limit == null ? null : limit.bytes())
        .with("control_group_left_bytes", limit == null ? null : limit.left());
  }

  /** One that matters is a note: whether it is too low depends on what is done. */
  static Finding limits() {
    ResourceLimits limits = ResourceLimits.here();
    List<String> low = new ArrayList<>();
    OptionalLong files = limits.openFiles();
    if (files.isPresent() && files.getAsLong() < FEW_FILES) {
      low.add(
          files.getAsLong()
              + " open files, which limits the server's connections; ulimit -n 4096 raises it");
    }
    if (limits.addressSpace().isPresent()) {
      low.add(
          Numbers.bytes(limits.addressSpace().getAsLong())
              + " of addresses, of which a mapped model takes as many as it has bytes, and Java its"
              + " heap and more; ulimit -v unlimited lifts it");
    }
    if (limits.fileSize().isPresent()) {
      low.add(
          Numbers.bytes(limits.fileSize().getAsLong())
              + " a file, which convert, quantize and batch may need more of; ulimit -f unlimited"
              + " lifts it");
    }
    String open = files.isPresent() ? files.getAsLong() + " open files" : "no limit of open files";
    Finding found =
        low.isEmpty()
            ? Finding.ok("limits", open + ", any size of files and addresses")
            : Finding.note("limits", String.join("; ", low));
    return found
        .with("open_files", value(files))
        .with("address_space_bytes", value(limits.addressSpace()))
        .with("file_size_bytes", value(limits.fileSize()));
  }

  private static Long value(OptionalLong number) {
    return number.isPresent() ? (Long) number.getAsLong() : null;
  }
}
