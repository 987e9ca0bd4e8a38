package dev.murmuration.llama.loading;

import dev.murmuration.machine.CpuFeatures;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What native/build.sh made: a line for each library in the order of loading, with SHA-256, size,
 * mode and name, and lines with what the build demands.
 *
 * @param cpu line {@code cpu}, see {@link CpuFeatures}; empty where the build runs on every
 *     processor of its kind
 * @param glibc line {@code glibc}: the version of that C library which it needs at least; empty on
 *     other systems
 * @param version line {@code version}: the release of this software that it belongs to; empty for a
 *     build that was not packed
 */
public record NativeManifest(
    List<Library> libraries, List<String> cpu, String glibc, String version) {
  public static final String NAME = "MANIFEST";

  private static final Pattern BACKEND = Pattern.compile("^libggml-([a-z]+)");

  /** {@code load} is false for what ggml or the system loads itself. */
  record Library(StoredFile file, boolean load) {}

  public static NativeManifest parse(String text) throws IOException {
    List<Library> libraries = new ArrayList<>();
    List<String> cpu = List.of();
    String glibc = "";
    String version = "";
    for (String line : text.lines().toList()) {
      String[] field = line.split(" ", 4);
      if (field[0].equals("cpu")) {
        cpu = Arrays.stream(line.split(" ")).skip(1).toList();
      } else if (field[0].equals("glibc") && field.length == 2) {
        glibc = field[1];
      } else if (field[0].equals("version") && field.length == 2) {
        version = field[1];
      } else if (field.length == 4 && field[1].matches("\\d{1,18}")) {
        libraries.add(
            new Library(
                new StoredFile(field[3], Long.parseLong(field[1]), field[0]),
                field[2].equals("load")));
      } else {
        throw new IOException("it has the line '" + line + "'");
      }
    }
    return new NativeManifest(List.copyOf(libraries), cpu, glibc, version);
  }

  /**
   * Parses what must be right.
   *
   * @param where the jar or folder, for the message
   * @throws UnsatisfiedLinkError if it is damaged
   */
  static NativeManifest require(String text, String where) {
    try {
      return parse(text);
    } catch (IOException e) {
      throw LoadFailure.error(
          NAME
              + " in "
              + where
              + " is damaged: "
              + e.getMessage()
              + "; rebuild it with native/build.sh",
          e);
    }
  }

  /** Whether it belongs to this version, or to none. */
  boolean isOf(String release) {
    return version.isEmpty() || version.equals(release);
  }

  /** What is said of libraries that do not belong to this version. */
  UnsatisfiedLinkError otherVersion(String release, String where) {
    return new UnsatisfiedLinkError(
        "the native libraries in "
            + where
            + " are those of murmuration-natives "
            + version
            + ", and this is murmuration "
            + release
            + "; take both of one version");
  }

  /**
   * What it computes on, in llama.cpp's words: {@code cpu}, and of GPUs {@code vulkan} and others.
   */
  List<String> backends() {
    return files().stream()
        .map(file -> BACKEND.matcher(file.name()))
        .filter(Matcher::find)
        .map(found -> found.group(1))
        .filter(name -> !name.equals("base"))
        .distinct()
        .toList();
  }

  List<StoredFile> files() {
    return libraries.stream().map(Library::file).toList();
  }

  /**
   * Compares a directory's libraries with this.
   *
   * @param whole whether every byte is compared, which takes longer than the rest of a start; else
   *     only the sizes, since the end of a short file would end the process
   */
  public void requireIn(Path directory, boolean whole) throws IOException {
    for (StoredFile entry : files()) {
      Path file = directory.resolve(entry.name());
      if (Files.size(file) != entry.size()
          || (whole && !VerifiedSet.hash(file).equals(entry.sha256()))) {
        throw new IOException(entry.name() + " is not the file that " + NAME + " describes");
      }
    }
  }
}
