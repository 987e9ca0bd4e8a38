package dev.murmuration.llama.loading;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.llama.Llama;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each cause has its own words: the system's loader is made to say them where it can be. */
@Tag("native")
class LoadFailureTest {
  private static final Path LIBRARY = Path.of("/d/libmurmur_shim.so");
  private static final int MACHINE = 18; // e_machine of an ELF header

  @TempDir Path folder;

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      textBlock =
          """
          NO_EXECUTION | failed to map segment from shared object | noexec
          NO_EXECUTION | /d/l.so: failed to map segment from shared object: Operation not permitted | XDG_CACHE_HOME
          MISSING_DEPENDENCY | libgomp.so.1: cannot open shared object file: No such file or directory | needs libgomp.so.1
          MISSING_DEPENDENCY | libstdc++.so.6: cannot open shared object file: No such file or directory | libstdc++6
          MISSING_DEPENDENCY | Error loading shared library libstdc++.so.6: No such file or directory (needed by /d/l.so) | libstdc++6
          OLD_SYSTEM | /lib/x86_64-linux-gnu/libc.so.6: version `GLIBC_2.38' not found (required by /d/l.so) | needs GLIBC_2.38
          OLD_SYSTEM | /lib/libstdc++.so.6: version `GLIBCXX_3.4.32' not found (required by /d/l.so) | needs GLIBCXX_3.4.32
          OTHER_C_LIBRARY | Error loading shared library ld-linux-x86-64.so.2: No such file or directory (needed by /d/l.so) | musl
          OTHER_C_LIBRARY | Error relocating /d/l.so: __fprintf_chk: symbol not found | musl
          OTHER_ARCHITECTURE | /d/l.so: cannot open shared object file: No such file or directory (Possible cause: can't load AARCH64 .so on a AMD64 platform) | another kind of processor
          OTHER_ARCHITECTURE | dlopen(/d/l.dylib, 0x0001): mach-o file, but is an incompatible architecture (have 'x86_64', need 'arm64') | another kind
          OTHER_CLASS_LOADER | Native Library /d/libmurmur_shim.so already loaded in another classloader | parent that they share
          UNREADABLE | /d/l.so: cannot open shared object file: Permission denied | may not read it
          DAMAGED | /d/l.so: invalid ELF header | damaged
          UNKNOWN | something new | native/build.sh
          """)
  void everyCauseHasItsOwnWords(LoadFailure cause, String said, String remedy) {
    assertThat(LoadFailure.of(said)).isEqualTo(cause);
    assertThat(LoadFailure.explain(LIBRARY, said))
        .startsWith("cannot load " + LIBRARY)
        .contains(said, remedy);
  }

  private static Path library() {
    return Llama.ensureLoaded().resolve(System.mapLibraryName("murmur_shim"));
  }

  @SuppressWarnings("restricted")
  private String loading(byte[] content) throws IOException {
    Path file = Files.write(folder.resolve(System.mapLibraryName("changed")), content);
    try {
      System.load(file.toString());
      return "loaded";
    } catch (UnsatisfiedLinkError e) {
      return e.getMessage();
    }
  }

  @Test
  void anotherMachinesLibrary() throws IOException {
    byte[] content = Files.readAllBytes(library());
    content[MACHINE] = (byte) (content[MACHINE] == (byte) 183 ? 62 : 183);
    assertThat(LoadFailure.of(loading(content))).isEqualTo(LoadFailure.OTHER_ARCHITECTURE);
  }

  @Test
  void aDamagedLibrary() throws IOException {
    byte[] content = Files.readAllBytes(library());
    assertThat(LoadFailure.of(loading(Arrays.copyOf(content, 40)))).isEqualTo(LoadFailure.DAMAGED);
    content[0] = 'x';
    assertThat(LoadFailure.of(loading(content))).isEqualTo(LoadFailure.DAMAGED);
  }

  @Test
  void aMissingDependency() throws IOException {
    String text = new String(Files.readAllBytes(library()), StandardCharsets.ISO_8859_1);
    String message =
        loading(
            text.replace("libllama.so.0", "libllamb.so.0").getBytes(StandardCharsets.ISO_8859_1));
    assertThat(LoadFailure.of(message)).isEqualTo(LoadFailure.MISSING_DEPENDENCY);
    assertThat(LoadFailure.explain(LIBRARY, message)).contains("needs libllamb.so.0");
  }
}
