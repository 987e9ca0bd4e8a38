package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.llama.loading.NativeManifest;
import dev.murmuration.llama.loading.ResourceCache;
import dev.murmuration.llama.loading.Staging;
import dev.murmuration.llama.loading.VerifiedSet;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Loading, each time in a JVM of its own: from the jar, from a directory, and with everything that
 * can be wrong.
 */
@Tag("native")
public class NativeLibraryTest {
  @TempDir Path directory;

  /** Loads llama.cpp and prints from where. */
  static final class Load {
    public static void main(String[] args) {
      try {
        System.out.println(Llama.ensureLoaded());
        Llama.setVerbose(args.length > 0);
        System.out.println(Llama.devices().getLast().kind());
      } catch (LinkageError e) {
        System.err.println(e.getMessage());
        System.exit(1);
      }
    }
  }

  private ChildJvm child() {
    return new ChildJvm(Load.class).options("-Dmurmuration.cache.dir=" + directory);
  }

  private Path extracted() throws IOException {
    return extracted(directory);
  }

  private static Path extracted(Path cache) throws IOException {
    try (Stream<Path> files = Files.list(cache)) {
      List<Path> all = files.toList();
      assertThat(all).as("nothing but the extracted set is left").hasSize(1);
      return all.getFirst();
    }
  }

  @Test
  void twentyProcessesExtractAtOnceAndAllLoadTheSame() throws Exception {
    try (var threads = Executors.newFixedThreadPool(20)) {
      List<Future<ChildJvm.Result>> results = new ArrayList<>();
      for (int i = 0; i < 20; i++) {
        results.add(threads.submit(() -> child().run()));
      }
      // What is under way by others is left alone until all have ended.
      for (Future<ChildJvm.Result> result : results) {
        result.get();
      }
      for (Future<ChildJvm.Result> result : results) {
        assertThat(result.get().err()).isEmpty();
        assertThat(result.get().out()).startsWith(extracted().toString()).contains("CPU");
      }
    }
  }

  @Test
  void anExtractionThatWasDamagedIsMadeAnew() throws Exception {
    assertThat(child().run().exitCode()).isZero();
    Path library = extracted().resolve(System.mapLibraryName("murmur_shim"));
    byte[] whole = Files.readAllBytes(library);
    Files.write(library, new byte[100]);
    assertThat(child().run().exitCode()).isZero();
    assertThat(extracted().resolve(library.getFileName())).hasBinaryContent(whole);
    Files.delete(library);
    assertThat(child().run().exitCode()).isZero();
    assertThat(extracted().resolve(library.getFileName())).hasBinaryContent(whole);
  }

  @Test
  void aFlippedByteIsFoundAndRepaired() throws Exception {
    assertThat(child().run().exitCode()).isZero();
    Path library = extracted().resolve(System.mapLibraryName("murmur_shim"));
    byte[] whole = Files.readAllBytes(library);
    FileTime time = Files.getLastModifiedTime(library);
    byte[] flipped = whole.clone();
    flipped[whole.length / 2] ^= 1;
    Files.write(library, flipped);
    // Size and time are what they were.
    Files.setLastModifiedTime(library, time);
    assertThat(child().run().exitCode()).isZero();
    assertThat(extracted().resolve(library.getFileName())).hasBinaryContent(whole);
  }

  @Test
  void aCopiedCacheIsHashedAndTaken() throws Exception {
    assertThat(child().run().exitCode()).isZero();
    Path original = extracted();
    Path cache = Files.createDirectory(directory.resolve("copy"));
    Path copy = copyOf(original, cache.resolve(original.getFileName()));
    Object inode = Files.getAttribute(copy.resolve("MANIFEST"), "unix:ino");
    assertThat(child().options("-Dmurmuration.cache.dir=" + cache).run().exitCode()).isZero();
    assertThat(Files.getAttribute(copy.resolve("MANIFEST"), "unix:ino"))
        .as("nothing was extracted anew")
        .isEqualTo(inode);
  }

  public static Path copyOf(Path from, Path to) throws IOException {
    Files.createDirectory(to);
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()), StandardCopyOption.COPY_ATTRIBUTES);
      }
    }
    return to;
  }

  @Test
  void aDirectoryThatOthersMayWriteIsRefused() throws Exception {
    Path open = Files.createDirectory(directory.resolve("open"));
    Files.setPosixFilePermissions(open, PosixFilePermissions.fromString("rwxrwxrwx"));
    ChildJvm.Result refused = child().options("-Dmurmuration.cache.dir=" + open).run();
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err())
        .contains(open + " may be written by others (mode 777)")
        .contains("chmod go-w '" + open + "'")
        .contains("XDG_CACHE_HOME=DIR")
        .contains("-Dmurmuration.cache.dir=DIR");
    assertThat(open).isEmptyDirectory();
  }

  @Test
  void aLinkInThePlaceOfTheSetIsRefused() throws Exception {
    assertThat(child().run().exitCode()).isZero();
    Path set = extracted();
    Path elsewhere = directory.resolveSibling(directory.getFileName() + "-elsewhere");
    Files.move(set, elsewhere);
    try {
      Files.createSymbolicLink(set, elsewhere);
      ChildJvm.Result refused = child().run();
      assertThat(refused.exitCode()).isEqualTo(1);
      assertThat(refused.err()).contains(set + " is a symbolic link").contains("remove it");
    } finally {
      Staging.delete(elsewhere);
    }
  }

  /** Begins to extract and is ended in the middle of it. */
  static final class Killed {
    @SuppressWarnings("unused")
    public static void main(String[] args) throws IOException {
      Staging staging = Staging.create(Path.of(args[0]), "native-killed");
      Files.write(staging.directory().resolve("half"), new byte[100]);
      Runtime.getRuntime().halt(9);
    }
  }

  @Test
  void whatAKilledProcessLeftIsRemovedAndWhatALivingOneMakesIsNot() throws Exception {
    assertThat(new ChildJvm(Killed.class).run(directory).exitCode()).isEqualTo(9);
    Path left = extracted();
    assertThat(left.resolve("half")).exists();
    Path old = Files.createDirectory(directory.resolve("native-old.part-1"));
    Files.createFile(old.resolve("half"));
    Files.setLastModifiedTime(old, FileTime.from(Instant.now().minus(Duration.ofDays(1))));
    Path fresh = Files.createDirectory(directory.resolve("native-fresh.part-2"));
    try (Staging living = Staging.create(directory, "native-living")) {
      assertThat(child().run().exitCode()).isZero();
      assertThat(left).doesNotExist();
      assertThat(old).doesNotExist();
      assertThat(fresh).as("without a lock, but of this minute").exists();
      assertThat(living.directory()).exists();
    }
  }

  @Test
  void withoutAHomeItGoesBelowTheTemporaryDirectory() throws Exception {
    Path file = Files.createFile(directory.resolve("file"));
    for (String home : List.of("?", file.toString())) {
      ChildJvm.Result result =
          new ChildJvm(Load.class)
              .options("-Duser.home=" + home, "-Djava.io.tmpdir=" + directory)
              .after("unset HOME XDG_CACHE_HOME")
              .run("verbose");
      assertThat(result.exitCode()).as(result.err()).isZero();
      Path root = directory.resolve("murmuration-" + ResourceCache.user());
      assertThat(result.out()).startsWith(extracted(root).toString());
      assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(root)))
          .isEqualTo("rwx------");
      if (home.equals("?")) {
        assertThat(Path.of("?")).doesNotExist();
      } else {
        assertThat(result.err())
            .contains("using " + root)
            .contains("because " + file.resolve(".cache/murmuration"));
      }
    }
  }

  @Test
  void aNamedDirectoryIsComparedWithItsManifest() throws Exception {
    Path named = copyOf(Llama.ensureLoaded(), directory.resolve("named"));
    Path library = named.resolve(System.mapLibraryName("murmur_shim"));
    byte[] content = Files.readAllBytes(library);
    content[content.length / 2] ^= 1;
    Files.write(library, content);
    ChildJvm.Result damaged = child().options("-Dmurmuration.native.dir=" + named).run();
    assertThat(damaged.exitCode()).isEqualTo(1);
    assertThat(damaged.err())
        .contains("the libraries in " + named + " are not whole")
        .contains(library.getFileName().toString())
        .contains("native/build.sh");
  }

  @Test
  void aBuildForAnotherProcessorIsRefusedBeforeItIsLoaded() throws Exception {
    Path named = copyOf(Llama.ensureLoaded(), directory.resolve("named"));
    Path manifest = named.resolve("MANIFEST");
    Files.writeString(
        manifest,
        Files.readString(manifest).lines().filter(l -> !l.startsWith("cpu ")).toList().stream()
                .reduce("", (text, line) -> text + line + "\n")
            + "cpu sse4_2 avx4096 fp asimd\n");
    // Whatever is loaded fails: this library is none.
    Files.write(named.resolve(System.mapLibraryName("murmur_shim")), new byte[10]);
    ChildJvm.Result refused = child().options("-Dmurmuration.native.dir=" + named).run();
    assertThat(refused.exitCode()).isEqualTo(1);
    assertThat(refused.err())
        .contains(named.toString())
        .contains("this one lacks")
        .contains("avx4096")
        .contains("build Murmuration on this machine")
        .contains("-Pnatives-portable");
  }

  @Test
  void withoutNativeLibrariesTheMessageSaysWhichToAdd() throws Exception {
    ChildJvm.Result result =
        child().classPath(place -> !place.contains("native/build/current")).run();
    assertThat(result.exitCode()).isEqualTo(1);
    assertThat(result.err())
        .startsWith("no native library for ")
        .contains("dev.murmuration:murmuration-natives:", "-Dmurmuration.native.dir=DIR");
  }

  @Test
  void aBuildForThisProcessorSaysWhatItDemands() throws Exception {
    NativeManifest manifest =
        NativeManifest.parse(Files.readString(Llama.ensureLoaded().resolve("MANIFEST")));
    boolean portable = Boolean.getBoolean("native.portable");
    if (portable || !System.getProperty("os.name").equals("Linux")) {
      assertThat(manifest.cpu()).isEmpty();
    } else {
      assertThat(manifest.cpu()).isNotEmpty();
    }
    assertThat(manifest.glibc())
        .matches(System.getProperty("os.name").equals("Linux") ? "2(\\.\\d+)+" : "");
  }

  @Test
  void aFullDiskIsAnErrorWithARemedyAndLeavesNothing() throws Exception {
    // No file may grow beyond 1 MiB: what a full disk does to a write, at a place that is known.
    ChildJvm.Result full =
        child().options("-Xshare:auto", "-XX:-UsePerfData").after("ulimit -f 1024").run();
    assertThat(full.exitCode()).isEqualTo(1);
    assertThat(full.err()).contains("cannot extract").contains("-Dmurmuration.cache.dir=DIR");
    try (Stream<Path> left = Files.list(directory)) {
      assertThat(left).isEmpty();
    }
    assertThat(child().run().exitCode()).isZero();
  }

  @Test
  void aNamedDirectoryBypassesTheJar() throws Exception {
    assertThat(child().run().exitCode()).isZero();
    Path named = extracted();
    Path unused = directory.resolveSibling("unused");
    ChildJvm.Result result =
        new ChildJvm(Load.class)
            .options("-Dmurmuration.native.dir=" + named, "-Dmurmuration.cache.dir=" + unused)
            .run();
    assertThat(result.out()).startsWith(named.toString());
    assertThat(unused).doesNotExist();

    ChildJvm.Result wrong =
        new ChildJvm(Load.class).options("-Dmurmuration.native.dir=" + unused).run();
    assertThat(wrong.exitCode()).isEqualTo(1);
    assertThat(wrong.err())
        .contains(unused.toString())
        .contains("MANIFEST")
        .contains("native/build.sh");
  }

  @Test
  void aLibraryThatDoesNotFitTheBindingsIsAnErrorWithBothSides() throws Exception {
    Path named = copyOf(Llama.ensureLoaded(), directory.resolve("named"));
    Path shim = named.resolve(System.mapLibraryName("murmur_shim"));
    byte[] original = Files.readAllBytes(shim);
    String manifest = Files.readString(named.resolve("MANIFEST"));
    String text = new String(original, StandardCharsets.ISO_8859_1);
    String hash = BindingsLock.values().get("headers.sha256");

    String otherHash = "0".repeat(64);
    Files.write(shim, text.replace(hash, otherHash).getBytes(StandardCharsets.ISO_8859_1));
    ChildJvm.Result mismatch = withItsHash(shim, manifest);
    assertThat(mismatch.exitCode()).isEqualTo(1);
    assertThat(mismatch.err()).contains(hash).contains(otherHash).contains("rebuild it");

    // A function that the bindings call and the library lacks.
    Files.write(
        shim,
        text.replace("murmur_token_piece", "murmur_token_xxxxx")
            .getBytes(StandardCharsets.ISO_8859_1));
    ChildJvm.Result lacking = withItsHash(shim, manifest);
    assertThat(lacking.exitCode()).isEqualTo(1);
    assertThat(lacking.err()).contains("murmur_token_piece");
  }

  /** Loads a changed library that its manifest knows about. */
  private ChildJvm.Result withItsHash(Path shim, String manifest) throws Exception {
    Files.writeString(
        shim.resolveSibling("MANIFEST"),
        manifest.replaceAll(
            "(?m)^\\S+(?= .* " + shim.getFileName() + "$)", VerifiedSet.hash(shim)));
    return child().options("-Dmurmuration.native.dir=" + shim.getParent()).run();
  }

  @Test
  void deniedNativeAccessNamesTheFlag() throws Exception {
    ChildJvm.Result denied = child().options("--illegal-native-access=deny").run();
    assertThat(denied.exitCode()).isEqualTo(1);
    assertThat(denied.err()).contains("--enable-native-access=ALL-UNNAMED");
  }
}
