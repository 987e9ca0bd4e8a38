package dev.murmuration.llama.loading;

import dev.murmuration.llama.bindings.Bindings;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.DigestOutputStream;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;

/**
 * Files of the jar that must lie on disk, extracted once per user and content.
 *
 * <p>A set of files becomes a directory named by a key of its content. It is written beside its
 * final name and appears there by one rename, so that a half-written set is never seen, and of two
 * processes that extract at once the later one takes what the earlier one made. What is there is
 * compared with its hashes, and must belong to this user alone. Any thread may call.
 */
public final class ResourceCache {
  private static final int ATTEMPTS = 3;
  private static final String REMEDY =
      ", or name another directory: XDG_CACHE_HOME=DIR in the environment, or java"
          + " -Dmurmuration.cache.dir=DIR";

  // Another class loader of this JVM has a ResourceCache of its own, and file locks are for
  // processes: a string is what they share.
  private static final Object LOCK = "dev.murmuration.llama.loading.ResourceCache".intern();

  /** Where the files come from. */
  @FunctionalInterface
  public interface Source {
    /** Opens a file by its name; null if there is none. */
    InputStream open(String name) throws IOException;
  }

  private ResourceCache() {}

  /**
   * Returns the directory that holds {@code entries}, extracting them first if it is not there or
   * not whole. Where the cache cannot be written, that is a directory below the temporary one.
   *
   * @param key name of the set: different content must have a different key
   * @throws UncheckedIOException if they cannot be written or are not what the entry says, or if
   *     others may write to the directory; nothing partial is left
   */
  public static Path extract(Source source, String key, List<StoredFile> entries) {
    return extract(source, key, entries, CacheRoots.here(user()));
  }

  static Path extract(Source source, String key, List<StoredFile> entries, List<Path> roots) {
    StringBuilder reasons = new StringBuilder();
    IOException failure = null;
    for (Path root : roots) {
      try {
        Path extracted;
        synchronized (LOCK) {
          extracted = extractInto(root, source, key, entries);
        }
        if (failure != null) {
          Notes.add("using " + extracted + ", because" + reasons);
        }
        return extracted;
      } catch (Trust.UntrustedException e) {
        throw new UncheckedIOException(e.getFile() + " " + e.getReason() + REMEDY, e);
      } catch (IOException e) {
        reasons.append(failure == null ? " " : "; ").append(root).append(": ").append(reason(e));
        failure = e;
      }
    }
    throw new UncheckedIOException(
        "cannot extract " + key + " into" + reasons + "; make room there" + REMEDY, failure);
  }

  /**
   * A place where extracted files may go.
   *
   * @param refusal why it cannot be used; null if it can
   * @param last whether no other place is tried where this one is refused
   */
  public record Place(Path directory, String refusal, boolean last) {}

  /** The places in the order in which they are tried. Nothing is made or changed. */
  public static List<Place> places() {
    return CacheRoots.here(user()).stream().map(ResourceCache::place).toList();
  }

  private static Place place(Path root) {
    try {
      Path there = root;
      while (Files.notExists(there)) {
        there = there.getParent();
      }
      if (there.equals(root)) {
        new Trust(user()).requireRoot(root);
      }
      String refusal =
          Files.isWritable(there) && Files.isDirectory(there)
              ? null
              : (there.equals(root) ? "it" : there + " is where it would be made, and")
                  + " is not a directory that this user may write to; make it one"
                  + REMEDY;
      return new Place(root, refusal, false);
    } catch (Trust.UntrustedException e) {
      return new Place(root, e.getFile() + " " + e.getReason() + REMEDY, true);
    } catch (IOException e) {
      return new Place(root, reason(e) + REMEDY, false);
    }
  }

  private static Path extractInto(Path root, Source source, String key, List<StoredFile> entries)
      throws IOException {
    Trust trust = new Trust(user());
    prepare(root, trust);
    Path target = root.resolve(key);
    for (int attempt = 1; ; attempt++) {
      if (new VerifiedSet(target, entries, trust).isWhole()) {
        return target;
      }
      try (Staging staging = Staging.create(root, key)) {
        for (StoredFile entry : entries) {
          copy(source, entry, staging.directory().resolve(entry.name()));
        }
        new VerifiedSet(staging.directory(), entries, trust).remember();
        staging.release();
        if (!new VerifiedSet(target, entries, trust).isWhole()) {
          publish(staging.directory(), target);
        }
        return target;
      } catch (FileSystemException e) {
        // Another process may have put it there in between: look again.
        if (attempt == ATTEMPTS) {
          throw e;
        }
      }
    }
  }

  private static void prepare(Path root, Trust trust) throws IOException {
    if (!Files.isDirectory(root)) {
      Files.createDirectories(
          root, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    }
    trust.requireRoot(root);
    Staging.removeAbandoned(root);
  }

  /** The numeric id of who runs this. */
  public static int user() {
    return Bindings.geteuid();
  }

  /**
   * Copies a library to a place of its own, for a class loader that cannot have the file itself;
   * the caller closes what is returned when it is loaded.
   */
  static Staging privateCopy(Path library, Path root) throws IOException {
    prepare(root, new Trust(user()));
    Staging staging = Staging.create(root, "copy");
    Files.copy(library, staging.directory().resolve(library.getFileName()));
    return staging;
  }

  private static String reason(IOException e) {
    // The JDK's own message repeats the path.
    if (e instanceof FileSystemException f && f.getReason() != null) {
      return f.getReason();
    }
    String kind = e instanceof FileSystemException ? e.getClass().getSimpleName() : "";
    return kind.isEmpty() ? String.valueOf(e.getMessage()) : kind + " " + e.getMessage();
  }

  private static void copy(Source source, StoredFile entry, Path to) throws IOException {
    MessageDigest digest = StoredFile.digest();
    try (InputStream in = source.open(entry.name());
        FileChannel channel =
            FileChannel.open(to, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
        OutputStream out = new DigestOutputStream(Channels.newOutputStream(channel), digest)) {
      if (in == null) {
        throw new IOException("the jar lacks " + entry.name());
      }
      in.transferTo(out);
      // A full disk may otherwise be noticed only after the rename.
      channel.force(true);
    }
    Files.setPosixFilePermissions(to, PosixFilePermissions.fromString("rwx------"));
    String actual = HexFormat.of().formatHex(digest.digest());
    if (!actual.equals(entry.sha256())) {
      throw new IOException(
          entry.name() + " in the jar has SHA-256 " + actual + ", expected " + entry.sha256());
    }
  }

  private static void publish(Path staging, Path target) throws IOException {
    if (Files.isDirectory(target)) {
      // Damaged after it was made. It is put aside in one step, so that nobody sees half of it.
      Path aside = Files.createTempDirectory(target.getParent(), target.getFileName() + ".part-");
      try {
        Files.move(
            target, aside, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      } catch (NoSuchFileException e) {
        // Another process has done it.
      }
      Staging.delete(aside);
    }
    Files.move(staging, target, StandardCopyOption.ATOMIC_MOVE);
  }
}
