package dev.murmuration.llama.loading;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

@Tag("unit")
class CacheRootsTest {
  private static final Path TEMPORARY = Path.of("/tmp/murmuration-1000");

  @Test
  void theTemporaryDirectoryIsTheLastChoice() {
    assertThat(CacheRoots.of(null, null, "/home/a", false, TEMPORARY))
        .containsExactly(Path.of("/home/a/.cache/murmuration"), TEMPORARY);
    assertThat(CacheRoots.of(" ", "/x", "/home/a", false, TEMPORARY))
        .containsExactly(Path.of("/x/murmuration"), TEMPORARY);
    assertThat(CacheRoots.of(null, "relative", "/Users/a", true, TEMPORARY))
        .containsExactly(Path.of("/Users/a/Library/Caches/murmuration"), TEMPORARY);
  }

  @Test
  void aNamedDirectoryIsTheOnlyChoice() {
    assertThat(CacheRoots.of("/named", "/x", "/home/a", false, TEMPORARY))
        .containsExactly(Path.of("/named"));
  }

  @Test
  void aHomeThatIsNoneIsNotTakenForAFolderOfTheWorkingDirectory() {
    for (String home : new String[] {"?", "", null, "home"}) {
      assertThat(CacheRoots.of(null, null, home, false, TEMPORARY)).containsExactly(TEMPORARY);
    }
  }
}
