package dev.murmuration.benchmarks;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.sun.management.OperatingSystemMXBean;
import dev.murmuration.llama.Llama;
import dev.murmuration.reward.Version;
import java.io.IOException;
import java.io.InputStream;
import java.lang.management.ManagementFactory;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDate;
import java.util.Locale;
import java.util.stream.Stream;

/**
 * Where and with what a measurement was made: a figure without it says nothing.
 *
 * @param date the day
 * @param cpu the processor's name
 * @param processors how many of them Java sees
 * @param memoryGiB main memory
 * @param system operating system
 * @param jdk Java's vendor and version
 * @param build release of this software and of llama.cpp
 * @param commit the commit of the work tree, {@code +} behind it if files differ from it
 * @param instructions what llama.cpp was compiled for
 * @param load processes that were running or waiting when it began, by the system's average of a
 *     minute; near 0 on a quiet machine
 */
public record Environment(
    String date,
    String cpu,
    int processors,
    long memoryGiB,
    String system,
    String jdk,
    String build,
    String commit,
    String instructions,
    double load) {
  static final ObjectMapper JSON = new ObjectMapper().enable(SerializationFeature.INDENT_OUTPUT);

  /** This machine, now. */
  public static Environment now() throws IOException {
    var machine = (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
    return new Environment(
        LocalDate.now().toString(),
        cpuName(),
        machine.getAvailableProcessors(),
        Math.round(machine.getTotalMemorySize() / Math.pow(2, 30)),
        systemName(),
        System.getProperty("java.vm.vendor") + " " + System.getProperty("java.runtime.version"),
        Version.build(),
        gitCommit(),
        Llama.systemInfo(),
        machine.getSystemLoadAverage());
  }

  private static String cpuName() throws IOException {
    Path file = Path.of("/proc/cpuinfo");
    if (Files.exists(file)) {
      try (Stream<String> lines = Files.lines(file)) {
        return lines
            .filter(line -> line.startsWith("model name"))
            .map(line -> line.substring(line.indexOf(':') + 1).strip())
            .findFirst()
            .orElse(System.getProperty("os.arch"));
      }
    }
    return output("sysctl", "-n", "machdep.cpu.brand_string");
  }

  private static String systemName() throws IOException {
    String kernel = System.getProperty("os.name") + " " + System.getProperty("os.version");
    Path file = Path.of("/etc/os-release");
    if (!Files.exists(file)) {
      return kernel;
    }
    try (Stream<String> lines = Files.lines(file)) {
      return lines
          .filter(line -> line.startsWith("PRETTY_NAME="))
          .map(line -> line.substring(12).replace("\"", "") + ", " + kernel)
          .findFirst()
          .orElse(kernel);
    }
  }

  private static String gitCommit() throws IOException {
    String commit = output("git", "rev-parse", "--short", "HEAD");
    return output("git", "status", "--porcelain", "--untracked-files=no").isEmpty()
        ? commit
        : commit + "+";
  }

  /** What a command prints; empty if there is no such command or it fails. */
  private static String output(String... command) throws IOException {
    Process process;
    try {
      process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    } catch (IOException e) {
      return "";
    }
    try (InputStream out = process.getInputStream()) {
      return new String(out.readAllBytes(), StandardCharsets.UTF_8).strip();
    }
  }

  /** One line for a person. */
  public String machine() {
    return String.format(
        Locale.ROOT, "%s, %d processors, %d GiB; %s; %s", cpu, processors, memoryGiB, system, jdk);
  }
}
