package dev.murmuration.machine;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The Linux control groups of this process, by which containers and services are limited, of
 * versions 1 and 2. On other systems there are none.
 *
 * @param root the root of the file system; tests give another one
 */
record ControlGroups(Path root) {
  private static final Path MOUNT = Path.of("sys/fs/cgroup");

  /**
   * The directories of the process's group and of all groups above it, each of which may set a
   * limit. Inside a container the kernel gives the host's path of the group, while the container's
   * file system shows the group as the root; so directories that do not exist are left out.
   *
   * @param controller {@code cpu} or {@code memory}; version 1 has a tree of groups for each
   */
  List<Path> directories(String controller) {
    List<Path> found = new ArrayList<>();
    for (String line : lines(root.resolve("proc/self/cgroup"))) {
      String[] parts = line.split(":", 3); // id, controllers, path
      if (parts.length < 3) {
        continue;
      }
      Path tree = root.resolve(MOUNT);
      if (!parts[1].isEmpty()) {
        if (!List.of(parts[1].split(",")).contains(controller)) {
          continue;
        }
        tree = tree.resolve(controller);
      }
      Path group = tree;
      for (String name : parts[2].split("/", -1)) {
        if (!name.equals("..")) { // Above what a container sees.
          group = group.resolve(name);
        }
      }
      for (; group.startsWith(tree); group = group.getParent()) {
        if (Files.isDirectory(group)) {
          found.add(group);
        }
      }
    }
    return found;
  }

  /** A file's lines; none if it cannot be read. */
  static List<String> lines(Path file) {
    try {
      return Files.readAllLines(file);
    } catch (IOException e) {
      return List.of(); // Not Linux, or hidden from this container.
    }
  }

  /** The number in a file; empty if the file holds something else, such as "max". */
  static Optional<Long> number(Path file) {
    return lines(file).stream().findFirst().flatMap(ControlGroups::number);
  }

  static Optional<Long> number(String text) {
    try {
      return Optional.of(Long.parseLong(text.strip()));
    } catch (NumberFormatException e) {
      return Optional.empty();
    }
  }
}
