package dev.murmuration.machine;

import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The drivers of GPUs in Linux' kernel, whether or not anything can compute with them. */
public final class GpuDrivers {
  private static final Pattern CARD = Pattern.compile("card\\d+");
  private static final Pattern VERSION = Pattern.compile("Kernel Module.*?\\s(\\d+(\\.\\d+)+)");

  private GpuDrivers() {}

  /**
   * Their names, such as {@code amdgpu}, and with a version of its own {@code nvidia 550.54.15}.
   */
  public static List<String> here() {
    return in(Path.of("/"));
  }

  static List<String> in(Path root) {
    TreeSet<String> drivers = new TreeSet<>();
    try (DirectoryStream<Path> cards = Files.newDirectoryStream(root.resolve("sys/class/drm"))) {
      for (Path card : cards) {
        Path driver = card.resolve("device/driver");
        if (CARD.matcher(card.getFileName().toString()).matches() && Files.exists(driver)) {
          drivers.add(driver.toRealPath().getFileName().toString());
        }
      }
    } catch (IOException e) {
      // None is listed, as in most containers.
    }
    for (String line : ControlGroups.lines(root.resolve("proc/driver/nvidia/version"))) {
      Matcher version = VERSION.matcher(line);
      if (line.startsWith("NVRM") && version.find()) {
        drivers.remove("nvidia");
        drivers.add("nvidia " + version.group(1));
      }
    }
    return List.copyOf(drivers);
  }
}
