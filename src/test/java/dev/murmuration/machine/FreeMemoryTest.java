package dev.murmuration.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is free, on made-up machines. */
@Tag("unit")
class FreeMemoryTest {
  @TempDir Path root;

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  private long free() {
    return new FreeMemory(root).linux();
  }

  @Test
  void theMachinesOwn() throws Exception {
    assertThat(free()).isEqualTo(Long.MAX_VALUE); // not Linux
    write("proc/meminfo", "MemTotal:  8000 kB\nMemFree:  100 kB\nMemAvailable:   5000 kB\n");
    assertThat(free()).isEqualTo(5000L << 10);
    write("proc/self/cgroup", "0::/\n");
    assertThat(free()).isEqualTo(5000L << 10);
  }

  @Test
  void aGroupsLimitLessWhatItUsesWithoutCachedFiles() throws Exception {
    write("proc/meminfo", "MemAvailable:   5000 kB\n");
    write("proc/self/cgroup", "0::/a/b\n");
    write("sys/fs/cgroup/a/b/memory.max", "max\n");
    write("sys/fs/cgroup/a/b/memory.current", "900000\n");
    assertThat(free()).isEqualTo(5000L << 10);
    write("sys/fs/cgroup/a/memory.max", "1000000\n");
    write("sys/fs/cgroup/a/memory.current", "900000\n");
    assertThat(free()).isEqualTo(100_000);
    write(
        "sys/fs/cgroup/a/memory.stat",
        "anon 500000\nfile 400000\ninactive_file 300000\nactive_file 50000\n");
    assertThat(free()).isEqualTo(450_000);
    write("sys/fs/cgroup/a/memory.current", "1900000\n");
    assertThat(free()).isZero();
  }

  @Test
  void theTightestGroupIsNamed() throws Exception {
    write("proc/meminfo", "MemTotal: 8000 kB\nMemAvailable:   5000 kB\n");
    write("proc/self/cgroup", "0::/a/b\n");
    write("sys/fs/cgroup/a/b/memory.max", "3000000\n");
    write("sys/fs/cgroup/a/b/memory.current", "0\n");
    assertThat(new FreeMemory(root).tightestLimit())
        .hasValue(new FreeMemory.Limit(root.resolve("sys/fs/cgroup/a/b"), 3_000_000, 3_000_000));
    write("sys/fs/cgroup/a/memory.max", "4000000\n");
    write("sys/fs/cgroup/a/memory.current", "2000000\n");
    assertThat(new FreeMemory(root).tightestLimit())
        .hasValue(new FreeMemory.Limit(root.resolve("sys/fs/cgroup/a"), 4_000_000, 2_000_000));
    // As much as the machine has is no limit; version 1 says so with a number.
    write("sys/fs/cgroup/a/memory.max", "8192000\n");
    write("sys/fs/cgroup/a/b/memory.max", "max\n");
    assertThat(new FreeMemory(root).tightestLimit()).isEmpty();
  }

  @Test
  void version1() throws Exception {
    write("proc/meminfo", "MemAvailable:   5000 kB\n");
    write("proc/self/cgroup", "7:cpu:/x\n4:memory:/x\n");
    write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
    write("sys/fs/cgroup/memory/memory.usage_in_bytes", "123456789\n");
    assertThat(free()).isEqualTo(5000L << 10);
    write("sys/fs/cgroup/memory/x/memory.limit_in_bytes", "2000000\n");
    write("sys/fs/cgroup/memory/x/memory.usage_in_bytes", "1500000\n");
    write("sys/fs/cgroup/memory/x/memory.stat", "inactive_file 1\ntotal_inactive_file 200000\n");
    assertThat(free()).isEqualTo(700_000);
  }

  @Test
  void thisMachine() {
    assertThat(FreeMemory.bytes()).isBetween(1L << 20, 1L << 50);
  }
}
