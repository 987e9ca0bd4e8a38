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
 * A file that appears under its name only when it is complete and on the disk. Until then it is
 * written beside; whatever ends the work before, an exception, an interrupt or the end of the JVM,
 * removes it and leaves what was there.
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

  /** Set by whichever thread stops first, the converting one or the JVM's end; under the lock. */
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
    long free = Files.getFileStore(folder).getUsableSpace();
    // Some file systems cannot tell, and say 0.
    if (free > 0 && free < bytes) {
      throw new BadFileException(
          target, "needs " + bytes + " bytes, the disk has " + free + " free");
    }
    return new OutputFile(absolute, replace);
  }

  /**
   * Refuses to write where something is read, whatever name or link it has there.
   *
   * @param inputs files that are read; those that do not exist are passed over
   * @param name what they are
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

  /** The name that it has until then. */
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

  /** The end of a message about a file that could not be written: what is to be done. */
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

  /** So that the new name survives a power failure, too; not every file system can do it. */
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
        // Nobody is left to tell; the exception that brought us here is the one that counts.
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
      // The JVM is ending, and the hook does what it is for.
    }
  }
}
