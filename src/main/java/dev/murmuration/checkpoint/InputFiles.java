package dev.murmuration.checkpoint;

import dev.murmuration.files.BadFileException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * What files were before they were read. A header is read first and the numbers that it describes
 * later: a file that is replaced or changed in between would become a model that nobody trained.
 */
final class InputFiles {
  private static final String STATE = "unix:dev,ino,size,lastModifiedTime,ctime";

  private final Map<Path, Map<String, Object>> states = new LinkedHashMap<>();

  /** To be called before the file is opened for the first time. */
  void add(Path file) throws IOException {
    states.put(file, Files.readAttributes(file, STATE));
  }

  /**
   * To be called after the last byte was read.
   *
   * @throws BadFileException if a file is another one, or was written to
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
