package dev.murmuration.llama.loading;

import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

@Tag("unit")
class TrustTest {
  @TempDir Path folder;
  private int user;
  private Trust own;

  @BeforeEach
  void asMe() throws IOException {
    user = (int) Files.getAttribute(folder, "unix:uid");
    own = new Trust(user);
  }

  private Path directory(String name, int mode) throws IOException {
    Path directory = Files.createDirectories(folder.resolve(name));
    Files.setAttribute(directory, "unix:mode", mode);
    return directory;
  }

  @Test
  void ownFilesAndDirectoriesPass() throws IOException {
    Path directory = directory("own", 0755);
    Path file = Files.createFile(directory.resolve("file"));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-r--r--"));
    assertThatCode(() -> own.requireRoot(directory)).doesNotThrowAnyException();
    assertThatCode(() -> own.requireDirectory(directory)).doesNotThrowAnyException();
    assertThatCode(() -> own.requireFile(file)).doesNotThrowAnyException();
  }

  @Test
  void whatOthersMayWriteIsRefused() throws IOException {
    for (int mode : new int[] {0770, 0707, 0777}) {
      Path directory = directory("open" + mode, mode);
      for (Check check : new Check[] {own::requireRoot, own::requireDirectory}) {
        assertThatThrownBy(() -> check.run(directory))
            .isInstanceOf(Trust.UntrustedException.class)
            .hasMessageContaining(directory.toString())
            .hasMessageContaining(Integer.toOctalString(mode))
            .hasMessageContaining("chmod go-w '" + directory + "'");
      }
      Path below = directory("open" + mode + "/below", 0700);
      if ((mode & 0002) == 0) {
        continue; // Above the cache, a group of the user's own may write.
      }
      assertThatThrownBy(() -> own.requireRoot(below))
          .as("a directory in one in which others rename")
          .hasMessageContaining(directory.toString());
    }
    Path file = Files.createFile(folder.resolve("file"));
    Files.setPosixFilePermissions(file, PosixFilePermissions.fromString("rw-rw----"));
    assertThatThrownBy(() -> own.requireFile(file)).hasMessageContaining("chmod go-w");
  }

  @Test
  void aStickyDirectoryMayBeSharedButNotTheSetItself() throws IOException {
    Path shared = directory("shared", 01777);
    assertThatCode(() -> own.requireRoot(shared)).doesNotThrowAnyException();
    assertThatCode(() -> own.requireRoot(directory("shared/own", 0700))).doesNotThrowAnyException();
    assertThatThrownBy(() -> own.requireDirectory(shared)).hasMessageContaining("1777");
  }

  @Test
  void linksAndOtherKindsAreRefused() throws IOException {
    Path directory = directory("real", 0700);
    Path link = Files.createSymbolicLink(folder.resolve("link"), directory);
    assertThatThrownBy(() -> own.requireRoot(link)).hasMessageContaining("is a symbolic link");
    assertThatThrownBy(() -> own.requireDirectory(link)).hasMessageContaining("is a symbolic link");
    assertThatThrownBy(() -> own.requireFile(link)).hasMessageContaining("is a symbolic link");
    assertThatThrownBy(() -> own.requireFile(directory))
        .hasMessageContaining("is not a regular file");
  }

  @Test
  void whatBelongsToSomebodyElseIsRefused() throws IOException {
    // Root's is everybody's, so who runs this as root gives it away first.
    Path directory = directory("given", 0700);
    int owner = user == 0 ? 4711 : user;
    Files.setAttribute(directory, "unix:uid", owner);
    Trust other = new Trust(owner + 1);
    assertThatThrownBy(() -> other.requireDirectory(directory))
        .hasMessageContaining("belongs to user " + owner + " and not to user " + (owner + 1));
    assertThatThrownBy(() -> other.requireRoot(directory)).hasMessageContaining("belongs to user");
  }

  @FunctionalInterface
  private interface Check {
    void run(Path path) throws IOException;
  }
}
