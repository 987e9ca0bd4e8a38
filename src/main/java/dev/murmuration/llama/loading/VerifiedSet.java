package dev.murmuration.llama.loading;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.security.MessageDigest;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/**
 * A directory of extracted files, and whether they are still what was extracted.
 *
 * <p>Hashing the files takes longer than the rest of a start. So a file in the directory records
 * those that had the right hash, by inode, size and times; no program can set the time of change
 * (ctime).
 */
public final class VerifiedSet {
  private static final String STAMP = ".verified";

  private final Path directory;
  private final List<StoredFile> entries;
  private final Trust trust;

  VerifiedSet(Path directory, List<StoredFile> entries, Trust trust) {
    this.directory = directory;
    this.entries = entries;
    this.trust = trust;
  }

  /**
   * Whether every file is there with its content.
   *
   * @throws Trust.UntrustedException if others could have put them there
   * @throws IOException if they cannot be read
   */
  boolean isWhole() throws IOException {
    try {
      trust.requireDirectory(directory);
      for (StoredFile entry : entries) {
        Path file = directory.resolve(entry.name());
        trust.requireFile(file);
        if (Files.size(file) != entry.size()) {
          return false;
        }
      }
      return isStamped() || isAsHashed();
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  private boolean isStamped() throws IOException {
    Path stamp = directory.resolve(STAMP);
    if (!Files.exists(stamp, LinkOption.NOFOLLOW_LINKS)) {
      return false;
    }
    trust.requireFile(stamp);
    return Files.readString(stamp).equals(stamp());
  }

  private boolean isAsHashed() throws IOException {
    // Taken before: what is changed in between has another stamp.
    String stamp = stamp();
    for (StoredFile entry : entries) {
      if (!hash(directory.resolve(entry.name())).equals(entry.sha256())) {
        return false;
      }
    }
    writeStamp(stamp);
    return true;
  }

  /** Remembers files whose hashes were just compared. */
  void remember() throws IOException {
    writeStamp(stamp());
  }

  private void writeStamp(String stamp) {
    try {
      Path part = Files.createTempFile(directory, STAMP, ".part");
      try {
        Files.writeString(part, stamp);
        Files.move(part, directory.resolve(STAMP), StandardCopyOption.ATOMIC_MOVE);
      } finally {
        Files.deleteIfExists(part);
      }
    } catch (IOException e) {
      // Read-only, or full: the next start compares the hashes again.
    }
  }

  private String stamp() throws IOException {
    StringBuilder stamp = new StringBuilder();
    for (StoredFile entry : entries) {
      Map<String, Object> file =
          Files.readAttributes(
              directory.resolve(entry.name()),
              "unix:dev,ino,size,lastModifiedTime,ctime",
              LinkOption.NOFOLLOW_LINKS);
      stamp.append(entry.name());
      for (String attribute : List.of("dev", "ino", "size")) {
        stamp.append(' ').append(file.get(attribute));
      }
      for (String attribute : List.of("lastModifiedTime", "ctime")) {
        stamp.append(' ').append(((FileTime) file.get(attribute)).to(TimeUnit.NANOSECONDS));
      }
      stamp.append('\n');
    }
    return stamp.toString();
  }

  public static String hash(Path file) throws IOException {
    MessageDigest digest = StoredFile.digest();
    byte[] buffer = new byte[1 << 16];
    try (InputStream in = Files.newInputStream(file)) {
      for (int count; (count = in.read(buffer)) >= 0; ) {
        digest.update(buffer, 0, count);
      }
    }
    return HexFormat.of().formatHex(digest.digest());
  }
}
