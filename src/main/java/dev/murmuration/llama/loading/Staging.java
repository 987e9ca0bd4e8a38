package dev.murmuration.llama.loading;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.stream.Stream;

/**
 * A directory beside the final one, in which a set of files is prepared. Its owner holds a lock on
 * a file in it. The lock ends with the process; a directory without a locked file is left over, and
 * the next process removes it.
 */
public final class Staging implements AutoCloseable {
  private static final String MARK = ".part-";
  private static final String LOCK = ".lock";

  /** So old is what has no lock when nobody can be working at it. */
  private static final Duration ABANDONED = Duration.ofHours(1);

  private final Path directory;
  private final FileChannel lock;

  private Staging(Path directory, FileChannel lock) {
    this.directory = directory;
    this.lock = lock;
  }

  /** Only the user may look into it: that is how the JDK makes temporary directories. */
  public static Staging create(Path root, String key) throws IOException {
    Path directory = Files.createTempDirectory(root, key + MARK);
    FileChannel lock =
        FileChannel.open(
            directory.resolve(LOCK), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
    try {
      lock.tryLock();
    } catch (IOException e) {
      // The file system has no locks. The directory's age protects it.
      Files.delete(directory.resolve(LOCK));
    }
    return new Staging(directory, lock);
  }

  public Path directory() {
    return directory;
  }

  /** Gives the directory up, to be renamed. */
  void release() throws IOException {
    lock.close();
    Files.deleteIfExists(directory.resolve(LOCK));
  }

  /** Removes the directory if it is still there. */
  @Override
  public void close() throws IOException {
    lock.close();
    delete(directory);
  }

  /** Removes what ended processes have left. What cannot be removed stays. */
  static void removeAbandoned(Path root) {
    try (DirectoryStream<Path> all =
        Files.newDirectoryStream(root, path -> path.toString().contains(MARK))) {
      for (Path directory : all) {
        removeIfAbandoned(directory);
      }
    } catch (IOException e) {
      // Somebody else removes it at the same time, or it is not ours.
    }
  }

  private static void removeIfAbandoned(Path directory) throws IOException {
    Path file = directory.resolve(LOCK);
    try (FileChannel lock = FileChannel.open(file, StandardOpenOption.WRITE)) {
      if (lock.tryLock() != null) {
        delete(directory);
      }
    } catch (NoSuchFileException e) {
      if (Files.getLastModifiedTime(directory)
          .toInstant()
          .isBefore(Instant.now().minus(ABANDONED))) {
        delete(directory);
      }
    } catch (OverlappingFileLockException e) {
      // Another class loader of this JVM works at it.
    }
  }

  public static void delete(Path directory) throws IOException {
    if (!Files.isDirectory(directory)) {
      return;
    }
    List<Path> inside;
    try (Stream<Path> files = Files.list(directory)) {
      inside = files.toList();
    }
    for (Path file : inside) {
      Files.deleteIfExists(file);
    }
    Files.deleteIfExists(directory);
  }
}
