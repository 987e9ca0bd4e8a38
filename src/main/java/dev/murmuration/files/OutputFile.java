package dev.murmuration.files;

import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.FileChannel;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;

/**
 * A file that appears under its name only when it is complete and on the disk. It is written under
 * another name in the same folder and renamed at the end. If the work ends early, by an exception,
 * an interrupt or the end of the JVM, that file is removed, and a file that had the name before
 * stays.
 */
public final class OutputFile implements AutoCloseable {
  /** Writes something into the file. */
  @FunctionalInterface
  public interface Content {
    void writeTo(FileChannel channel) throws IOException;
  }

  private final Path target;
  private final Path part;
  private final boolean replace;
  private final Thread cleanup = new Thread(this::abandon, "murmuration-cleanup");
  private final FileChannel channel;

  /**
   * Whether the file was renamed or removed. Guarded by this object's lock, because both the
   * writing thread and the JVM's shutdown hook set it.
   */
  private boolean ended;

  private OutputFile(Path target, boolean replace) throws IOException {
    this.target = target;
    this.replace = replace;
    String suffix = Long.toHexString(ThreadLocalRandom.current().nextLong()) + ".part";
    this.part = target.resolveSibling(target.getFileName() + "." + suffix);
    addCleanup();
    try {
      this.channel = create();
    } catch (FileSystemException e) {
      removeCleanup();
      throw new BadFileException(
          target,
          "cannot be created: "
              + (e.getReason() != null
                  ? e.getReason()
                  : e instanceof AccessDeniedException ? "permission denied" : "the system refuses")
              + "; name a file in a folder in which this user may create files",
          e);
    } catch (IOException e) {
      removeCleanup();
      throw e;
    }
  }

  private synchronized FileChannel create() throws IOException {
    if (ended) {
      throw new IOException("the JVM is ending");
    }
    return FileChannel.open(part, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
  }

  /**
   * Begins a file.
   *
   * @param replace whether a file that is there may be replaced
   * @param bytes about how large it will be
   */
  public static OutputFile begin(Path target, boolean replace, long bytes) throws IOException {
    Path absolute = target.toAbsolutePath();
    Path folder = absolute.getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new BadFileException(target, "its folder does not exist; create it");
    }
    checkReplaceable(target, replace);
    // Not that of a FileStore, which is not found in a changed root. 0 where it is not known.
    long free = folder.toFile().getUsableSpace();
    if (free > 0 && free < bytes) {
      throw new BadFileException(
          target, "needs " + bytes + " bytes, the disk has " + free + " free");
    }
    return new OutputFile(absolute, replace);
  }

  /**
   * Refuses an output that is one of the inputs, even under another name or through a link.
   *
   * @param inputs files that are read; those that do not exist are ignored
   * @param name what the inputs are, for the message
   */
  public static void checkNotAmong(List<Path> inputs, Path output, String name) throws IOException {
    for (Path input : inputs) {
      if (Files.exists(output) && Files.exists(input) && Files.isSameFile(input, output)) {
        throw new BadFileException(
            output, "is " + name + " (" + input.getFileName() + "); name another file");
      }
    }
  }

  private static void checkReplaceable(Path target, boolean replace) throws BadFileException {
    if (!Files.exists(target, LinkOption.NOFOLLOW_LINKS)) {
      return;
    }
    if (!Files.isRegularFile(target)) {
      throw new BadFileException(target, "exists and is not a file; name another one");
    }
    if (!replace) {
      throw new BadFileException(
          target, "exists; name another file, or replace it with force(true)");
    }
  }

  /** The name under which the file will appear. */
  Path target() {
    return target;
  }

  /** The name of the file until {@link #commit}. */
  public Path part() {
    return part;
  }

  public FileChannel channel() {
    return channel;
  }

  /**
   * Writes into the file.
   *
   * @throws BadFileException if it cannot be written; the system's own message names no file
   */
  public void write(Content content) throws IOException {
    try {
      content.writeTo(channel);
    } catch (BadFileException | InterruptedIOException | ClosedChannelException e) {
      throw e;
    } catch (IOException e) {
      throw new BadFileException(target, "cannot be written: " + e.getMessage() + room(), e);
    }
  }

  /** What to do about a file that could not be written, to be appended to a message. */
  public String room() {
    String free;
    try {
      free = (Files.getFileStore(part).getUsableSpace() >> 20) + " MiB are free on its disk";
    } catch (IOException e) {
      free = "its disk does not say what is free";
    }
    return "; "
        + free
        + ": make room, name a file on another disk, or raise the limit on the size of files"
        + " (ulimit -f)";
  }

  /** Makes the file appear under its name. */
  public void commit() throws IOException {
    write(content -> content.force(true));
    channel.close();
    checkReplaceable(target, replace);
    synchronized (this) {
      Files.move(part, target, StandardCopyOption.ATOMIC_MOVE);
      ended = true;
    }
    syncFolder();
  }

  /** Makes the rename survive a power failure. Not every file system can do this. */
  private void syncFolder() {
    try (FileChannel folder = FileChannel.open(target.getParent(), StandardOpenOption.READ)) {
      folder.force(true);
    } catch (IOException e) {
      // The file itself is on the disk; its name follows when the system writes it.
    }
  }

  @Override
  public void close() throws IOException {
    channel.close();
    abandon();
    removeCleanup();
  }

  private synchronized void abandon() {
    if (!ended) {
      ended = true;
      try {
        Files.deleteIfExists(part);
      } catch (IOException e) {
        // The failure that led here is reported; a file that stays is no reason to hide it.
      }
    }
  }

  private void addCleanup() throws IOException {
    try {
      Runtime.getRuntime().addShutdownHook(cleanup);
    } catch (IllegalStateException e) {
      throw new IOException("the JVM is ending", e);
    }
  }

  private void removeCleanup() {
    try {
      Runtime.getRuntime().removeShutdownHook(cleanup);
    } catch (IllegalStateException e) {
      // The JVM is ending and runs the hook, which removes the file.
    }
  }
}
