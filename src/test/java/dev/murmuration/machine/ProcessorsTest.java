package dev.murmuration.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The default number of threads, on made-up machines. */
@Tag("unit")
class ProcessorsTest {
  private static final String V2 = "0::/service\n";
  private static final String V1 = "5:cpuset:/\n4:cpu,cpuacct:/service\n0::/\n";

  @TempDir Path root;

  private void write(String file, String text) throws IOException {
    Path path = root.resolve(file);
    Files.createDirectories(path.getParent());
    Files.writeString(path, text);
  }

  /** Four cores with two hardware threads each: 0 and 4, 1 and 5, … */
  private void hyperThreaded(String file) throws IOException {
    for (int processor = 0; processor < 8; processor++) {
      int core = processor % 4;
      write(topology(processor) + file, core + "," + (core + 4) + "\n");
    }
  }

  private static String topology(int processor) {
    return "sys/devices/system/cpu/cpu" + processor + "/topology/";
  }

  private void allowed(String list) throws IOException {
    write("proc/self/status", "Name:\tjava\nCpus_allowed:\tff\nCpus_allowed_list:\t" + list + "\n");
  }

  private int threads(int available) {
    return new Processors(root, available).threads();
  }

  @ParameterizedTest
  @CsvSource({"core_cpus_list", "thread_siblings_list"})
  void oneThreadACore(String file) throws Exception {
    hyperThreaded(file);
    allowed("0-7");
    assertThat(threads(8)).isEqualTo(4);
  }

  @Test
  void withoutHyperThreadingEveryProcessorIsACore() throws Exception {
    for (int processor = 0; processor < 6; processor++) {
      write(topology(processor) + "core_cpus_list", processor + "\n");
    }
    allowed("0-5");
    assertThat(threads(6)).isEqualTo(6);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "0-3   | 4 | 4", // one of each pair
        "0,4   | 2 | 1", // both of one
        "0-1,4 | 3 | 2",
        "5     | 1 | 1",
      })
  void affinity(String list, int available, int threads) throws Exception {
    hyperThreaded("core_cpus_list");
    allowed(list);
    assertThat(threads(available)).isEqualTo(threads);
  }

  /** {@code -XX:ActiveProcessorCount} is one that the files know nothing of. */
  @Test
  void noMoreThanJavaMayUse() throws Exception {
    hyperThreaded("core_cpus_list");
    allowed("0-7");
    assertThat(threads(3)).isEqualTo(3);
    assertThat(threads(1)).isEqualTo(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "max 100000    | 4", "400000 100000 | 4", "250000 100000 | 2", "150000 100000 | 1",
        "50000 100000  | 1", "nonsense      | 4", "0 100000      | 4", "100000 0      | 4",
      })
  void quotaOfVersion2IsRoundedDown(String quota, int threads) throws Exception {
    hyperThreaded("core_cpus_list");
    allowed("0-7");
    write("proc/self/cgroup", V2);
    write("sys/fs/cgroup/service/cpu.max", quota + "\n");
    assertThat(threads(8)).isEqualTo(threads);
  }

  @Test
  void theTightestQuotaOfAllGroupsAboveCounts() throws Exception {
    allowed("0-7");
    write("proc/self/cgroup", "0::/slice/service\n");
    write("sys/fs/cgroup/slice/service/cpu.max", "max 100000\n");
    write("sys/fs/cgroup/slice/cpu.max", "300000 100000\n");
    assertThat(threads(8)).isEqualTo(3);
    write("sys/fs/cgroup/slice/service/cpu.max", "200000 100000\n");
    assertThat(threads(8)).isEqualTo(2);
  }

  @Test
  void whatTheThreadsFollowFrom() throws Exception {
    hyperThreaded("core_cpus_list");
    allowed("0-7");
    assertThat(new Processors(root, 8).share())
        .isEqualTo(new Processors.Share(8, OptionalInt.of(4), OptionalDouble.empty(), 4));
    write("proc/self/cgroup", V2);
    write("sys/fs/cgroup/service/cpu.max", "250000 100000\n");
    assertThat(new Processors(root, 3).share())
        .isEqualTo(new Processors.Share(3, OptionalInt.of(4), OptionalDouble.of(2.5), 2));
  }

  /** Inside a container the group has its name on the host, and lies at the top. */
  @Test
  void aContainersGroupIsTheTopmost() throws Exception {
    write("proc/self/cgroup", "0::/../../docker/0123abcd\n");
    write("sys/fs/cgroup/cpu.max", "200000 100000\n");
    assertThat(threads(8)).isEqualTo(2);
  }

  @ParameterizedTest
  @CsvSource({"-1, 8", "350000, 3", "20000, 1"})
  void quotaOfVersion1(int quota, int threads) throws Exception {
    write("proc/self/cgroup", V1);
    write("sys/fs/cgroup/cpu/service/cpu.cfs_quota_us", quota + "\n");
    write("sys/fs/cgroup/cpu/service/cpu.cfs_period_us", "100000\n");
    assertThat(threads(8)).isEqualTo(threads);
  }

  @Test
  void whereNothingIsKnownJavaIsBelieved() throws Exception {
    assertThat(threads(8)).isEqualTo(8); // macOS
    assertThat(threads(1000)).isEqualTo(1000);
    allowed("0-7"); // no /sys
    assertThat(threads(8)).isEqualTo(8);
    allowed("what?");
    hyperThreaded("core_cpus_list");
    assertThat(threads(8)).isEqualTo(8);
  }

  @Test
  void processorsThatAreSwitchedOffAreNoCores() throws Exception {
    hyperThreaded("core_cpus_list");
    allowed("0-127");
    assertThat(threads(8)).isEqualTo(4);
  }

  @Test
  void thisMachine() {
    assertThat(Processors.defaultThreads())
        .isBetween(1, Runtime.getRuntime().availableProcessors());
  }
}
