package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * The state of files before they were read, to find out whether they have changed. Headers are read
 * first and the numbers later; a file that changes in between would give a mixture of two models.
 */
final class InputFiles {
  private static final String STATE = "unix:dev,ino,size,lastModifiedTime,ctime";

  private final Map<Path, Map<String, Object>> states = new LinkedHashMap<>();

  /** Notes the state of a file; to be called before it is opened for the first time. */
  void add(Path file) throws IOException {
    states.put(file, Files.readAttributes(file, STATE));
  }

  /** Adds all of another list. */
  void addAll(InputFiles others) {
    states.putAll(others.states);
  }

  /**
   * Compares the files with what was noted; to be called after the last byte was read.
   *
   * @throws BadFileException if a file was replaced or written to
   */
  void requireUnchanged() throws IOException {
    for (Map.Entry<Path, Map<String, Object>> file : states.entrySet()) {
      if (!Files.exists(file.getKey())
          || !Files.readAttributes(file.getKey(), STATE).equals(file.getValue())) {
        throw new BadFileException(
            file.getKey(), "was replaced or changed while it was being read; convert again");
      }
    }
  }
}
