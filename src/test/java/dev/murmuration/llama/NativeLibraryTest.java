package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
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
class NativeLibraryTest {
  @TempDir Path directory;

  /** Loads llama.cpp and prints from where. */
  static final class Load {
    public static void main(String[] args) {
      try {
        System.out.println(Llama.ensureLoaded());
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
    try (Stream<Path> files = Files.list(directory)) {
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
    assertThat(child().run().exitCode()).isZero();
    Path shim = extracted().resolve(System.mapLibraryName("murmur_shim"));
    byte[] original = Files.readAllBytes(shim);
    String text = new String(original, StandardCharsets.ISO_8859_1);
    String hash = NativeLibrary.properties("bindings.lock").get("headers.sha256");

    String otherHash = "0".repeat(64);
    Files.write(shim, text.replace(hash, otherHash).getBytes(StandardCharsets.ISO_8859_1));
    ChildJvm.Result mismatch = child().run();
    assertThat(mismatch.exitCode()).isEqualTo(1);
    assertThat(mismatch.err()).contains(hash).contains(otherHash).contains("rebuild it");

    // A function that the bindings call and the library lacks.
    Files.write(
        shim,
        text.replace("murmur_token_piece", "murmur_token_xxxxx")
            .getBytes(StandardCharsets.ISO_8859_1));
    ChildJvm.Result lacking = child().run();
    assertThat(lacking.exitCode()).isEqualTo(1);
    assertThat(lacking.err()).contains("murmur_token_piece");
  }

  @Test
  void deniedNativeAccessNamesTheFlag() throws Exception {
    ChildJvm.Result denied = child().options("--illegal-native-access=deny").run();
    assertThat(denied.exitCode()).isEqualTo(1);
    assertThat(denied.err()).contains("--enable-native-access=ALL-UNNAMED");
  }
}
