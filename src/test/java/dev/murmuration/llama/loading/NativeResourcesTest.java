package dev.murmuration.llama.loading;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.lang.foreign.MemorySegment;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which of the native libraries that an application holds are taken, and what is refused. */
@Tag("unit")
class NativeResourcesTest {
  private static final String PLATFORM = "plan9-vax";
  private static final String FOLDER = "META-INF/native/plan9-vax/";

  @TempDir Path folder;

  private static String manifest(String library, String version) {
    return "a".repeat(64) + " 5 load " + library + "\nglibc 2.31\nversion " + version + "\n";
  }

  private Path jar(String name, String manifest) throws IOException {
    Path jar = folder.resolve(name);
    try (OutputStream out = Files.newOutputStream(jar);
        ZipOutputStream zip = new ZipOutputStream(out)) {
      for (var entry : Map.of("MANIFEST", manifest, "l.so", "bytes").entrySet()) {
        zip.putNextEntry(new ZipEntry(FOLDER + entry.getKey()));
        zip.write(entry.getValue().getBytes(StandardCharsets.UTF_8));
      }
    }
    return jar;
  }

  private static URLClassLoader loader(ClassLoader parent, Path... places) throws IOException {
    URL[] urls = new URL[places.length];
    for (int i = 0; i < urls.length; i++) {
      urls[i] = places[i].toUri().toURL();
    }
    return new URLClassLoader(urls, parent);
  }

  private static NativeResources find(Path... places) throws IOException {
    try (URLClassLoader loader = loader(null, places)) {
      return NativeResources.find(loader, PLATFORM, "1.0");
    }
  }

  @Test
  void aJarIsReadWhateverItsPath() throws Exception {
    Path jar = jar("a b%20#.jar", manifest("l.so", "1.0"));
    NativeResources found = find(jar);
    assertThat(found.place()).isEqualTo(jar.toString());
    assertThat(found.manifest().version()).isEqualTo("1.0");
    assertThat(found.manifest().glibc()).isEqualTo("2.31");
    try (InputStream in = found.open("l.so")) {
      assertThat(in).hasContent("bytes");
    }
    assertThat(found.open("other.so")).isNull();
  }

  @Test
  void soIsAFolderWithABuildOfThisMachine() throws Exception {
    Path manifest = folder.resolve("a b").resolve(FOLDER + "MANIFEST");
    Files.createDirectories(manifest.getParent());
    Files.writeString(manifest, "a".repeat(64) + " 5 load l.so\ncpu avx2\n");
    Files.writeString(manifest.resolveSibling("l.so"), "bytes");
    NativeResources found = find(folder.resolve("a b"));
    assertThat(found.place()).isEqualTo(folder.resolve("a b").toString());
    assertThat(found.manifest().version()).isEmpty();
    assertThat(found.manifest().cpu()).containsExactly("avx2");
    assertThat(found.open("other.so")).isNull();
  }

  @Test
  void whatAClassLoaderCallsItsPlaceIsSaidWhereItIsNoFile() throws Exception {
    URL url = Path.of("/x/" + FOLDER + "MANIFEST").toUri().toURL();
    assertThat(NativeResources.place(url, FOLDER + "MANIFEST")).isEqualTo("/x");
    URL nested = new java.net.URI("jar:file:/a.jar!/b/" + FOLDER + "MANIFEST").toURL();
    assertThat(NativeResources.place(nested, FOLDER + "MANIFEST")).isEqualTo("/a.jar!/b");
  }

  @Test
  void anotherVersionIsRefusedByName() throws Exception {
    Path old = jar("old.jar", manifest("l.so", "0.9"));
    assertThatThrownBy(() -> find(old))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContainingAll(
            old.toString(), "murmuration-natives 0.9", "murmuration 1.0", "take both");
    Path right = jar("right.jar", manifest("l.so", "1.0"));
    assertThat(find(old, right).place()).isEqualTo(right.toString());
  }

  @Test
  void oneBuildMayBeThereTwiceAndTwoMayNot() throws Exception {
    Path one = jar("one.jar", manifest("l.so", "1.0"));
    Path same = jar("same.jar", manifest("l.so", "1.0"));
    assertThat(find(one, same).place()).isEqualTo(one.toString());
    try (URLClassLoader parent = loader(null, same);
        URLClassLoader child = loader(parent, one)) {
      assertThat(NativeResources.find(child, PLATFORM, "1.0").place()).isEqualTo(same.toString());
    }
  }

  /** The jars with the classifiers linux-x86_64 and linux-x86_64-vulkan, for example. */
  @Test
  void ofTwoBuildsTheMessageSaysWhatEachComputesOn() throws Exception {
    String library = "a".repeat(64) + " 5 keep libggml-";
    String processor =
        library + "base.so.0\n" + library + "cpu-x64.so\n" + library + "cpu-zen4.so\nversion 1.0\n";
    Path plain = jar("plain.jar", processor);
    Path vulkan = jar("vulkan.jar", library + "vulkan.so\n" + processor);
    assertThatThrownBy(() -> find(plain, vulkan))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContaining("several builds of the native library for plan9-vax")
        .hasMessageEndingWith(
            "Each is complete; keep one of %s (for cpu), %s (for vulkan and cpu)", plain, vulkan);
  }

  @Test
  void whereThereIsNoneTheMessageSaysWhatToAdd() {
    assertThatThrownBy(() -> find())
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContainingAll(
            "no native library for plan9-vax",
            "dev.murmuration:murmuration-natives:1.0 with the classifier plan9-vax",
            "--add-modules dev.murmuration.natives.plan9.vax",
            "-Dmurmuration.native.dir=DIR");
  }

  @Test
  void aDamagedManifestIsRefusedByName() throws Exception {
    Path jar = jar("damaged.jar", "glibc\n");
    assertThatThrownBy(() -> find(jar))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContainingAll("MANIFEST in " + jar, "is damaged", "'glibc'");
  }

  @Test
  void theVersionOfGlibcIsItsOwnWord() {
    assertThat(CLibrary.glibc()).get().asString().matches("2\\.\\d+");
  }

  @Test
  void whatNeedsGlibcIsRefusedWhereTheCLibraryIsAnother() {
    assertThatThrownBy(() -> CLibrary.require("2.31", "/a.jar", _ -> Optional.empty()))
        .isInstanceOf(UnsatisfiedLinkError.class)
        .hasMessageContainingAll("/a.jar", "glibc 2.31", "musl", "Debian");
    CLibrary.require("2.31", "/a.jar", _ -> Optional.of(MemorySegment.NULL));
    CLibrary.require("", "/a.jar", _ -> Optional.empty());
  }
}
