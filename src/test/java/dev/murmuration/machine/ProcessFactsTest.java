package dev.murmuration.machine;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What Linux says of a process: its libraries, its limits, its file systems. */
@Tag("unit")
class ProcessFactsTest {
  private static final List<String> MOUNTS =
      List.of(
          "/dev/vda / ext4 rw,relatime 0 0",
          "tmpfs /tmp tmpfs rw,nosuid,noexec 0 0",
          "/dev/vdb /tmp/a\\040b ext4 rw 0 0",
          "/dev/vdc /srv ext4 rw,noexec 0 0",
          "/dev/vdd /srv ext4 rw 0 0",
          "nonsense");

  @Test
  void eachMappedFileOnce() {
    assertThat(
            MappedFiles.in(
                List.of(
                    "7f0c1a000000-7f0c1a026000 rw-p 00000000 00:00 0    [heap]",
                    "7f0c1a000000-7f0c1a026000 r--p 00000000 fe:00 1234    /usr/lib/a b.so",
                    "7f0c1a026000-7f0c1a126000 r-xp 00026000 fe:00 1234    /usr/lib/a b.so")))
        .containsExactly(Path.of("/usr/lib/a b.so"));
  }

  @Test
  void limitsOfThisKindAndNoOther() {
    ResourceLimits limits =
        new ResourceLimits(
            List.of(
                "Limit                     Soft Limit           Hard Limit           Units     ",
                "Max file size             unlimited            unlimited            bytes     ",
                "Max open files            1024                 524288               files     ",
                "Max address space         8589934592           unlimited            bytes     "));
    assertThat(limits.openFiles()).hasValue(1024);
    assertThat(limits.addressSpace()).hasValue(8L << 30);
    assertThat(limits.fileSize()).isEmpty();
    assertThat(new ResourceLimits(List.of()).openFiles()).isEmpty();
  }

  @ParameterizedTest
  @CsvSource({
    "/, false",
    "/tmp, true",
    "/tmp/x, true",
    "/tmpx, false",
    "/tmp/a b/c, false",
    "/srv/x, false"
  })
  void codeIsLoadedWhereTheNearestMountAllowsIt(Path path, boolean noExec) {
    assertThat(new FileSystems(MOUNTS).isNoExec(path)).isEqualTo(noExec);
  }

  @Test
  void driversOfGpusWithTheirVersions(@TempDir Path root) throws Exception {
    assertThat(GpuDrivers.in(root)).isEmpty();
    Path driver = Files.createDirectories(root.resolve("sys/bus/pci/drivers/amdgpu"));
    for (String name : List.of("card0", "card0-DP-1", "card1", "renderD128")) {
      Path device = Files.createDirectories(root.resolve("sys/class/drm/" + name + "/device"));
      Files.createSymbolicLink(device.resolve("driver"), driver);
    }
    assertThat(GpuDrivers.in(root)).containsExactly("amdgpu");
    Path version = root.resolve("proc/driver/nvidia/version");
    Files.createDirectories(version.getParent());
    Files.writeString(
        version,
        """
        NVRM version: NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
        GCC version:  gcc version 12.2.0 (Debian 12.2.0-14)
        """);
    assertThat(GpuDrivers.in(root)).containsExactly("amdgpu", "nvidia 550.54.15");
    Files.writeString(
        version, "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.124.06  Release\n");
    assertThat(GpuDrivers.in(root)).containsExactly("amdgpu", "nvidia 570.124.06");
  }

  @Test
  void thisProcess() {
    assertThat(MappedFiles.here()).anyMatch(file -> file.endsWith("libjvm.so"));
    assertThat(ResourceLimits.here().openFiles()).isPresent();
    assertThat(FileSystems.here().isNoExec(Path.of("/"))).isFalse();
  }
}
