package dev.murmuration.llama.loading;

import java.io.IOException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.GroupPrincipal;
import java.nio.file.attribute.PosixFileAttributes;
import java.nio.file.attribute.UserPrincipal;
import java.util.Map;

/**
 * Checks that only one user and root can have created a file or directory, and can change it. Code
 * is loaded from files that pass.
 */
final class Trust {
  private static final int TYPE = 0170000;
  private static final int DIRECTORY = 0040000;
  private static final int REGULAR = 0100000;
  private static final int LINK = 0120000;
  private static final int STICKY = 01000;
  private static final int OTHERS_WRITE = 0022;

  /** What makes a place unfit; the message says what to do. */
  static final class UntrustedException extends FileSystemException {
    private static final long serialVersionUID = 1;

    UntrustedException(Path path, String reason) {
      super(path.toString(), null, reason);
    }
  }

  private final int user;

  /** The numeric id of the user who is trusted, beside root. */
  Trust(int user) {
    this.user = user;
  }

  /** Refuses a directory that is not the user's alone. */
  void requireDirectory(Path path) throws IOException {
    int mode = requireOwn(path, DIRECTORY, "a directory");
    if ((mode & OTHERS_WRITE) != 0) {
      throw writable(path, mode);
    }
  }

  /** Refuses a regular file that is not the user's alone. */
  void requireFile(Path path) throws IOException {
    int mode = requireOwn(path, REGULAR, "a regular file");
    if ((mode & OTHERS_WRITE) != 0) {
      throw writable(path, mode);
    }
  }

  /**
   * Refuses a directory in which somebody else could put something in the place of what the user
   * has there. Others may write if only owners may rename and delete, as in {@code /tmp}. All
   * directories above are looked at, too.
   */
  void requireRoot(Path path) throws IOException {
    int mode = requireOwn(path, DIRECTORY, "a directory");
    if ((mode & OTHERS_WRITE) != 0 && (mode & STICKY) == 0) {
      throw writable(path, mode);
    }
    for (Path above = path.toRealPath().getParent(); above != null; above = above.getParent()) {
      requireAncestor(above);
    }
  }

  private void requireAncestor(Path path) throws IOException {
    Map<String, Object> attributes = Files.readAttributes(path, "unix:mode,uid,gid");
    int mode = (int) attributes.get("mode");
    requireOwner(path, (int) attributes.get("uid"), "could replace what is in it");
    if ((mode & STICKY) != 0 || (mode & OTHERS_WRITE) == 0) {
      return;
    }
    boolean group = (mode & 0002) == 0;
    if (!group || !((int) attributes.get("gid") == 0 || isPrivateGroup(path))) {
      throw writable(path, mode);
    }
  }

  /** Many systems give each user a group of the same name, and umask 002. */
  private static boolean isPrivateGroup(Path path) throws IOException {
    PosixFileAttributes attributes = Files.readAttributes(path, PosixFileAttributes.class);
    UserPrincipal owner = attributes.owner();
    GroupPrincipal group = attributes.group();
    return owner.getName().equals(group.getName());
  }

  private int requireOwn(Path path, int type, String what) throws IOException {
    Map<String, Object> attributes =
        Files.readAttributes(path, "unix:mode,uid", LinkOption.NOFOLLOW_LINKS);
    int mode = (int) attributes.get("mode");
    if ((mode & TYPE) != type) {
      throw new UntrustedException(
          path,
          ((mode & TYPE) == LINK ? "is a symbolic link" : "is not " + what)
              + ", and others may have put it there; remove it");
    }
    requireOwner(path, (int) attributes.get("uid"), "may have planted it; remove it");
    return mode;
  }

  private void requireOwner(Path path, int owner, String risk) throws UntrustedException {
    if (owner != user && owner != 0) {
      throw new UntrustedException(
          path,
          "belongs to user "
              + owner
              + " and not to user "
              + user
              + ", who runs this: who owns it "
              + risk);
    }
  }

  private static UntrustedException writable(Path path, int mode) {
    return new UntrustedException(
        path,
        "may be written by others (mode "
            + Integer.toOctalString(mode & 07777)
            + "), who could plant a library there; take that from them: chmod go-w '"
            + path
            + "'");
  }
}
