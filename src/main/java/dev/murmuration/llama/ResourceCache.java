package dev.murmuration.llama;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;
import java.util.stream.Stream;

/**
 * Files of the jar that must lie on disk, extracted once per user and content.
 *
 * <p>A set of files becomes a directory named by a key of its content. It is written beside its
 * final name and appears there by one rename, so that a half-written set is never seen, and of two
 * processes that extract at once the later one takes what the earlier one made. Any thread may
 * call.
 */
public final class ResourceCache {
  /** One file of a set. {@code sha256} is lower-case hexadecimal; {@code size} is in bytes. */
  public record Entry(String name, long size, String sha256) {}

  private ResourceCache() {}

  /**
   * The cache's directory: system property {@code murmuration.cache.dir}, else {@code
   * $XDG_CACHE_HOME/murmuration}, else {@code ~/Library/Caches/murmuration} on macOS and {@code
   * ~/.cache/murmuration} elsewhere.
   */
  public static Path directory() {
    String named = System.getProperty("murmuration.cache.dir");
    if (named != null && !named.isBlank()) {
      return Path.of(named).toAbsolutePath();
    }
    String xdg = System.getenv("XDG_CACHE_HOME");
    if (xdg != null && Path.of(xdg).isAbsolute()) {
      return Path.of(xdg, "murmuration");
    }
    Path home = Path.of(System.getProperty("user.home"));
    boolean mac = System.getProperty("os.name").startsWith("Mac");
    return home.resolve(mac ? "Library/Caches" : ".cache").resolve("murmuration");
  }

  /**
   * Returns the directory that holds {@code entries}, extracting them first if it is not there or
   * not whole.
   *
   * @param owner class whose loader finds the resources
   * @param resourceFolder folder of the resources, absolute, ending in a slash
   * @param key name of the set: different content must have a different key
   * @throws UncheckedIOException if they cannot be written or are not what the entry says; nothing
   *     partial is left
   */
  public static Path extract(
      Class<?> owner, String resourceFolder, String key, List<Entry> entries) {
    Path target = directory().resolve(key);
    if (whole(target, entries)) {
      return target;
    }
    try {
      Files.createDirectories(target.getParent());
      Path staging = Files.createTempDirectory(target.getParent(), key + ".part-");
      try {
        for (Entry entry : entries) {
          copy(owner, resourceFolder, entry, staging.resolve(entry.name()));
        }
        publish(staging, target, entries);
      } finally {
        delete(staging);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(
          "cannot extract "
              + key
              + " into "
              + target.getParent()
              + ": "
              + reason(e)
              + "; make room there, or name another directory with -Dmurmuration.cache.dir=DIR",
          e);
    }
    return target;
  }

  private static String reason(IOException e) {
    // The JDK's own message repeats the path.
    return e instanceof FileSystemException f && f.getReason() != null
        ? f.getReason()
        : String.valueOf(e.getMessage());
  }

  private static boolean whole(Path directory, List<Entry> entries) {
    try {
      for (Entry entry : entries) {
        if (Files.size(directory.resolve(entry.name())) != entry.size()) {
          return false;
        }
      }
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static void copy(Class<?> owner, String folder, Entry entry, Path to) throws IOException {
    MessageDigest digest = sha256();
    try (InputStream in = owner.getResourceAsStream(folder + entry.name());
        FileChannel channel =
            FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        OutputStream out = new DigestOutputStream(Channels.newOutputStream(channel), digest)) {
      if (in == null) {
        throw new IOException("the jar lacks " + folder + entry.name());
      }
      in.transferTo(out);
      // A full disk may otherwise be noticed only after the rename.
      channel.force(true);
    }
    String actual = HexFormat.of().formatHex(digest.digest());
    if (!actual.equals(entry.sha256())) {
      throw new IOException(
          entry.name() + " in the jar has SHA-256 " + actual + ", expected " + entry.sha256());
    }
  }

  private static void publish(Path staging, Path target, List<Entry> entries) throws IOException {
    FileSystemException failure = null;
    for (int attempt = 0; attempt < 3; attempt++) {
      try {
        if (whole(target, entries)) {
          return; // Another process was faster.
        }
        if (Files.isDirectory(target)) {
          // Damaged after it was made. It is put aside in one step, so that nobody sees half of it.
          Path aside =
              Files.createTempDirectory(target.getParent(), target.getFileName() + ".part-");
          Files.move(
              target, aside, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
          delete(aside);
        }
        Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
        return;
      } catch (FileSystemException e) {
        // Another process may have put it there in between: look again.
        failure = e;
      }
    }
    if (!whole(target, entries)) {
      throw failure;
    }
  }

  private static void delete(Path directory) throws IOException {
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

  static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError("every JDK has SHA-256", e);
    }
  }
}
