package dev.murmuration.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * What a build demands of the processor, in the words of {@code /proc/cpuinfo}. A processor that
 * lacks any of it would end the process with an illegal instruction.
 */
public final class CpuFeatures {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  /** x86 and ARM. One processor is like the next. */
  private static final Pattern FLAGS = Pattern.compile("(?:flags|Features)\\s*:(.*)");

  private CpuFeatures() {}

  /**
   * Refuses a build that this machine cannot run.
   *
   * @param where the build, for the message
   */
  public static void require(List<String> demanded, String where) {
    if (demanded.isEmpty()) {
      return;
    }
    List<String> missing = missing(demanded, flags());
    if (!missing.isEmpty()) {
      throw new UnsatisfiedLinkError(
          "the libraries in "
              + where
              + " were built for another processor: this one lacks "
              + String.join(", ", missing)
              + "; build Murmuration on this machine, or for every processor of its kind with"
              + " mvn package -Pnatives-portable");
    }
  }

  /** What is demanded and not there; nothing if the system does not say what is there. */
  static List<String> missing(List<String> demanded, String flags) {
    if (flags == null) {
      return List.of();
    }
    Set<String> there = Set.copyOf(Arrays.asList(flags.strip().split("\\s+")));
    return demanded.stream().filter(feature -> !there.contains(feature)).toList();
  }

  /** The flags in a text of {@code /proc/cpuinfo}, or null. */
  static String flags(Stream<String> cpuinfo) {
    return cpuinfo
        .map(FLAGS::matcher)
        .filter(Matcher::matches)
        .map(line -> line.group(1))
        .findFirst()
        .orElse(null);
  }

  private static String flags() {
    // The kernel makes the text as it is read: the first processor's part is enough.
    try (Stream<String> lines = Files.lines(CPUINFO, StandardCharsets.ISO_8859_1)) {
      return flags(lines);
    } catch (IOException e) {
      return null;
    }
  }
}
