package dev.murmuration.llama;

import static org.assertj.core.api.Assertions.assertThat;

import dev.murmuration.ChildJvm;
import dev.murmuration.TestModels;
import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.loading.NativeLibrary;
import dev.murmuration.llama.loading.NativeManifest;
import dev.murmuration.llama.loading.VerifiedSet;
import dev.murmuration.reward.Input;
import dev.murmuration.reward.RewardModel;
import java.io.File;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Two class loaders of one JVM with Murmuration in each, as in an application server. */
@Tag("native")
class ClassLoadersTest {
  /** What is called in each of the class loaders. */
  public static final class Inside {
    private Inside() {}

    /** The reward of a golden text. */
    public static double reward() throws IOException {
      try (RewardModel model = RewardModel.load(TestModels.TINY)) {
        return model.score(Input.text(TestModels.tinyGolden().getFirst().text())).reward();
      }
    }

    /** What an exception and a failed assert of llama.cpp say, both thrown to this caller. */
    public static String failures() {
      Llama.ensureLoaded();
      try (Arena arena = Arena.ofConfined();
          LlamaModel model = LlamaModel.load(TestModels.TINY, ModelParameters.DEFAULT, null);
          LlamaContext context = new LlamaContext(model, LlamaContextTest.SMALL)) {
        NativeError error = new NativeError(arena);
        MemorySegment missing =
            Bindings.murmur_file_open(
                NativePath.of(Path.of("/nowhere"), arena), error.segment(), error.size());
        int assertion = context.decodeUnchecked(LlamaContextTest.tooManyTokens(arena));
        return missing.address() + " " + assertion + " " + context.lastError();
      }
    }

    /** What is said about a file that llama.cpp refuses, and its progress when it quantizes one. */
    public static String log(String folder) throws IOException {
      StringBuilder said = new StringBuilder();
      Path broken = Files.writeString(Path.of(folder, "broken.gguf"), "GGUF");
      try {
        LlamaModel.load(broken, ModelParameters.DEFAULT, null).close();
      } catch (LlamaException e) {
        said.append(e.getMessage());
      }
      int[] steps = {0};
      try (OpenModelFile input = OpenModelFile.open(TestModels.TINY)) {
        NativeQuantizer.quantize(
            input,
            Path.of(folder, "quantized.gguf"),
            QuantizationType.Q8_0,
            2,
            1,
            false,
            (done, total) -> steps[0]++);
      }
      return said + " steps " + steps[0];
    }
  }

  /** Loads Murmuration twice; prints what both do. */
  static final class Twice {
    public static void main(String[] args) throws Exception {
      URLClassLoader second = loader();
      WeakReference<URLClassLoader> gone = first(second, args[0]);
      for (int i = 0; i < 100 && gone.get() != null; i++) {
        System.gc();
      }
      System.err.println(gone.get() == null ? "collected" : "kept");
      report(second, args[0]);
      report(loader(), args[0]);
    }

    // In a method of its own, so that no variable keeps it.
    private static WeakReference<URLClassLoader> first(URLClassLoader second, String folder)
        throws Exception {
      try (URLClassLoader first = loader()) {
        first.loadClass(Inside.class.getName()).getMethod("reward").invoke(null);
        report(second, folder);
        // Its handlers have the other's in front of them.
        report(first, folder);
        return new WeakReference<>(first);
      }
    }

    private static URLClassLoader loader() throws IOException {
      List<URL> places = new ArrayList<>();
      for (String place : System.getProperty("java.class.path").split(File.pathSeparator, -1)) {
        places.add(Path.of(place).toUri().toURL());
      }
      return new URLClassLoader(places.toArray(URL[]::new), ClassLoader.getPlatformClassLoader());
    }

    private static void report(URLClassLoader loader, String folder) throws Exception {
      Class<?> inside = loader.loadClass(Inside.class.getName());
      System.out.println(
          inside.getMethod("reward").invoke(null)
              + " "
              + inside.getMethod("failures").invoke(null)
              + " "
              + log(inside).invoke(null, folder));
    }

    private static Method log(Class<?> inside) throws NoSuchMethodException {
      return inside.getMethod("log", String.class);
    }
  }

  /** Loads Murmuration twice, from two directories; prints what becomes of the second. */
  static final class TwoBuilds {
    public static void main(String[] args) throws Exception {
      for (String directory : args) {
        System.setProperty(NativeLibrary.DIRECTORY_PROPERTY, directory);
        Class<?> inside = Twice.loader().loadClass(Inside.class.getName());
        try {
          System.out.println(inside.getMethod("reward").invoke(null));
        } catch (InvocationTargetException e) {
          System.out.println(e.getCause());
        }
      }
    }
  }

  @Test
  void anotherBuildIsNotMixedWithTheOneThatIsLoaded(@TempDir Path folder) throws Exception {
    Path one = Llama.ensureLoaded();
    Path other = NativeLibraryTest.copyOf(one, folder.resolve("other"));
    Path library = library(other, System.mapLibraryName("llama"));
    String before = VerifiedSet.hash(library) + " " + Files.size(library);
    Files.write(library, new byte[] {0}, StandardOpenOption.APPEND);
    String after = VerifiedSet.hash(library) + " " + Files.size(library);
    Path manifest = other.resolve(NativeManifest.NAME);
    Files.writeString(manifest, Files.readString(manifest).replace(before, after));
    ChildJvm.Result result = new ChildJvm(TwoBuilds.class).run(one, other);
    assertThat(result.exitCode()).as(result.err()).isZero();
    List<String> lines = result.out().lines().toList();
    assertThat(lines.get(0)).isEqualTo(Double.toString(Inside.reward()));
    assertThat(lines.get(1))
        .contains("another build of llama.cpp is loaded in this JVM already")
        .contains(one.toString(), other.toString())
        .contains("in a JVM each");
  }

  /** Its name ends in a version. */
  private static Path library(Path directory, String name) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files
          .filter(file -> file.getFileName().toString().startsWith(name))
          .findFirst()
          .orElseThrow();
    }
  }

  @Test
  void bothScoreAndBothGetTheirErrorsAndOneGoesOnWithoutTheOther(@TempDir Path folder)
      throws Exception {
    Path cache = Files.createDirectory(folder.resolve("cache"));
    ChildJvm.Result result =
        new ChildJvm(Twice.class)
            .options(
                "-Dmurmuration.cache.dir=" + cache,
                // Jackson leaves buffers with the thread, behind a soft reference.
                "-XX:SoftRefLRUPolicyMSPerMB=0")
            .run(folder);
    assertThat(result.exitCode()).as(result.err()).isZero();
    assertThat(result.err()).as("what became of the first class loader").contains("collected");
    List<String> lines = result.out().lines().toList();
    assertThat(lines).hasSize(4).allMatch(lines.getFirst()::equals);
    assertThat(lines.getFirst())
        .startsWith(Double.toString(Inside.reward()))
        .contains("GGML_ASSERT")
        .contains("broken.gguf could not be loaded", "llama.cpp: ")
        .doesNotContain("steps 0");
    try (Stream<Path> left = Files.list(cache)) {
      assertThat(left).as("no copy is left").hasSize(1);
    }
  }
}
