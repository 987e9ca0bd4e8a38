package dev.murmuration.machine;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * The processor features that a build needs, under their names in {@code /proc/cpuinfo}. On a
 * processor that lacks one, the process would end with an illegal instruction.
 */
public final class CpuFeatures {
  private static final Path CPUINFO = Path.of("/proc/cpuinfo");

  /** The line that lists the features, on x86 and on ARM. All processors have the same. */
  private static final Pattern FLAGS = Pattern.compile("(?:flags|Features)\\s*:(.*)");

  private static final Pattern MODEL = Pattern.compile("model name\\s*:(.*)");

  private CpuFeatures() {}

  /** What this processor has; nothing if the system does not list it. */
  public static Set<String> here() {
    String flags = found(FLAGS);
    return flags == null ? Set.of() : names(flags);
  }

  /** The processor's own name; empty where Linux does not list it, as on ARM. */
  public static Optional<String> model() {
    return Optional.ofNullable(found(MODEL)).map(String::strip);
  }

  /**
   * Refuses a build that this machine cannot run.
   *
   * @param where the directory of the build, for the message
   */
  public static void require(List<String> demanded, String where) {
    if (demanded.isEmpty()) {
      return;
    }
    List<String> missing = missing(demanded, found(FLAGS));
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

  /** The features that are demanded and missing; none if the system does not list its features. */
  static List<String> missing(List<String> demanded, String flags) {
    if (flags == null) {
      return List.of();
    }
    Set<String> there = names(flags);
    return demanded.stream().filter(feature -> !there.contains(feature)).toList();
  }

  private static Set<String> names(String flags) {
    return new HashSet<>(Arrays.asList(flags.strip().split("\\s+")));
  }

  /** The flags in a text of {@code /proc/cpuinfo}, or null. */
  static String flags(Stream<String> cpuinfo) {
    return first(cpuinfo, FLAGS);
  }

  private static String first(Stream<String> cpuinfo, Pattern wanted) {
    return cpuinfo
        .map(wanted::matcher)
        .filter(Matcher::matches)
        .map(line -> line.group(1))
        .findFirst()
        .orElse(null);
  }

  private static String found(Pattern wanted) {
    // The stream is lazy: with many processors only the first one's part is read.
    try (Stream<String> lines = Files.lines(CPUINFO, StandardCharsets.ISO_8859_1)) {
      return first(lines, wanted);
    } catch (IOException e) {
      return null;
    }
  }
}
