package dev.murmuration.machine;

import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/** How the file systems are mounted, as Linux lists it. */
public final class FileSystems {
  private static final int FIELDS = 4; // device, directory, type, options

  private final List<String> mounts;

  FileSystems(List<String> mounts) {
    this.mounts = mounts;
  }

  /** Those that this process sees. */
  public static FileSystems here() {
    return new FileSystems(ControlGroups.lines(Path.of("/proc/self/mounts")));
  }

  /**
   * Whether no code may be loaded from a directory.
   *
   * @param directory absolute, without symbolic links
   */
  public boolean isNoExec(Path directory) {
    Path nearest = null;
    boolean noExec = false;
    for (String mount : mounts) {
      String[] field = mount.split(" ", -1);
      if (field.length < FIELDS) {
        continue;
      }
      Path top = Path.of(unescaped(field[1]));
      // What is mounted later hides what was there.
      if (directory.startsWith(top) && (nearest == null || top.startsWith(nearest))) {
        nearest = top;
        noExec = Arrays.asList(field[3].split(",", -1)).contains("noexec");
      }
    }
    return noExec;
  }

  /** The kernel writes blanks as octal numbers. */
  private static String unescaped(String name) {
    return name.replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\");
  }
}
