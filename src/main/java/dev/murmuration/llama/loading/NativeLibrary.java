package dev.murmuration.llama.loading;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.machine.CpuFeatures;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.Linker;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.function.Consumer;

/**
 * Finds llama.cpp and the shim and loads them.
 *
 * <p>Looked for in this order: the directory named by {@code -Dmurmuration.native.dir}, the jars
 * and modules of the application ({@code META-INF/native/{os}-{arch}/}, see {@link
 * NativeResources}; extracted by {@link ResourceCache}). No other place is searched: anybody may
 * have put a file into the library path or the working directory.
 */
public final class NativeLibrary {
  public static final String DIRECTORY_PROPERTY = "murmuration.native.dir";

  /**
   * True in packages, whose native libraries are as whole as the Java that came with them; {@code
   * murmur doctor} looks all the same.
   */
  private static final String PACKED_PROPERTY = "murmuration.native.packed";

  /** Which kernels compute: one of {@link #KERNELS}. It counts for more than the variable. */
  static final String KERNELS_PROPERTY = "murmuration.kernels";

  static final String KERNELS_VARIABLE = "MURMUR_KERNELS";

  /** Ours, which is the default; llama.cpp's; ours without AMX. */
  private static final List<String> KERNELS = List.of("on", "off", "no-amx");

  // Class loaders of one JVM have a NativeLibrary each, and the libraries are the process's.
  private static final Object LOCK = "dev.murmuration.llama.loading.NativeLibrary".intern();

  private NativeLibrary() {}

  /**
   * Loads everything and returns the directory it was loaded from.
   *
   * @param initialise called with the directory when all is loaded, before another class loader
   *     goes on
   * @throws LinkageError naming what was tried, or both sides of a mismatch
   */
  public static Path load(Consumer<Path> initialise) {
    synchronized (LOCK) {
      requireNativeAccess();
      requireKnownKernels();
      prepareEnvironment();
      String named = System.getProperty(DIRECTORY_PROPERTY);
      Path directory =
          named == null || named.isBlank()
              ? loadFromApplication()
              : loadFrom(Path.of(named).toAbsolutePath());
      initialise.accept(directory);
      return directory;
    }
  }

  // Any restricted method would do: it throws where native access is denied, and JDK 25 merely
  // warns where it is not granted.
  @SuppressWarnings("restricted")
  private static void requireNativeAccess() {
    try {
      MemorySegment.NULL.reinterpret(0);
    } catch (IllegalCallerException e) {
      Module module = NativeLibrary.class.getModule();
      throw new LinkageError(
          "native access is denied to Murmuration; start java with --enable-native-access="
              + (module.isNamed() ? module.getName() : "ALL-UNNAMED"),
          e);
    }
  }

  private static void requireKnownKernels() {
    String property = System.getProperty(KERNELS_PROPERTY);
    String wish = property != null ? property : System.getenv(KERNELS_VARIABLE);
    if (wish != null && !wish.isEmpty() && !KERNELS.contains(wish)) {
      throw new LinkageError(
          "%s=%s is not known; known: %s"
              .formatted(
                  property != null ? "-D" + KERNELS_PROPERTY : KERNELS_VARIABLE,
                  wish,
                  String.join(", ", KERNELS)));
    }
  }

  /** What ggml reads from the environment while it is being loaded, and never again. */
  private static void prepareEnvironment() {
    try (Arena arena = Arena.ofConfined()) {
      // ggml would fork a debugger to print a backtrace when it aborts.
      Bindings.setenv(arena.allocateFrom("GGML_NO_BACKTRACE"), arena.allocateFrom("1"), 1);
      String kernels = System.getProperty(KERNELS_PROPERTY);
      if (kernels != null) {
        Bindings.setenv(arena.allocateFrom(KERNELS_VARIABLE), arena.allocateFrom(kernels), 1);
      }
      // ggml would load a library from there.
      Bindings.unsetenv(arena.allocateFrom("GGML_BACKEND_PATH"));
    }
  }

  private static Path loadFromApplication() {
    NativeResources found =
        NativeResources.find(
            NativeLibrary.class.getClassLoader(), Platform.name(), OwnVersion.get());
    NativeManifest manifest = found.manifest();
    requireFit(manifest, found.place());
    String hash = HexFormat.of().formatHex(StoredFile.digest().digest(found.text()));
    List<StoredFile> files = new ArrayList<>(manifest.files());
    files.add(new StoredFile(NativeManifest.NAME, found.text().length, hash));
    String key = "native-" + hash.substring(0, 24);
    Path directory = ResourceCache.extract(found::open, key, files);
    Path temporary = CacheRoots.temporary(ResourceCache.user());
    try {
      loadAll(directory, manifest, directory.getParent());
      return directory;
    } catch (UnsatisfiedLinkError e) {
      boolean elsewhere = !CacheRoots.named() && !directory.startsWith(temporary);
      if (!elsewhere || LoadFailure.of(e.getMessage()) != LoadFailure.NO_EXECUTION) {
        throw e;
      }
      Notes.add("using " + temporary + ", because: " + e.getMessage());
      directory = ResourceCache.extract(found::open, key, files, List.of(temporary));
      loadAll(directory, manifest, temporary);
      return directory;
    }
  }

  /** Refuses, before anything is loaded, what cannot run here or belongs to another version. */
  private static void requireFit(NativeManifest manifest, String place) {
    if (!manifest.isOf(OwnVersion.get())) {
      throw manifest.otherVersion(OwnVersion.get(), place);
    }
    CLibrary.require(manifest.glibc(), place, Linker.nativeLinker().defaultLookup());
    CpuFeatures.require(manifest.cpu(), place);
  }

  private static Path loadFrom(Path directory) {
    String text;
    try {
      text = Files.readString(directory.resolve(NativeManifest.NAME));
    } catch (IOException e) {
      throw LoadFailure.error(
          directory
              + " holds no readable "
              + NativeManifest.NAME
              + "; name a directory made by native/build.sh"
              + " (native/build/current/META-INF/native/"
              + Platform.name()
              + ")",
          e);
    }
    NativeManifest manifest = NativeManifest.require(text, directory.toString());
    requireFit(manifest, directory.toString());
    try {
      manifest.requireIn(directory, !Boolean.getBoolean(PACKED_PROPERTY));
    } catch (IOException e) {
      throw LoadFailure.error(
          "the libraries in "
              + directory
              + " are not whole: "
              + e.getMessage()
              + "; rebuild them with native/build.sh",
          e);
    }
    loadAll(directory, manifest, CacheRoots.temporary(ResourceCache.user()));
    return directory;
  }

  /**
   * Loads the libraries for this class loader. A file can be loaded by one class loader of a JVM
   * only. The others need no more than the shim: it is loaded from a copy, which finds the rest in
   * the process by their names.
   *
   * @param copies where the copy may go
   */
  private static void loadAll(Path directory, NativeManifest manifest, Path copies) {
    for (NativeManifest.Library library : manifest.libraries()) {
      Path file = directory.resolve(library.file().name());
      String failure = library.load() ? loadOne(file) : null;
      if (failure == null) {
        continue;
      }
      if (LoadFailure.of(failure) == LoadFailure.OTHER_CLASS_LOADER) {
        failure = isShim(file) ? loadCopy(file, copies) : null;
      }
      if (failure != null) {
        throw new UnsatisfiedLinkError(LoadFailure.explain(file, failure));
      }
    }
  }

  private static boolean isShim(Path file) {
    return file.endsWith(System.mapLibraryName("murmur_shim"));
  }

  /** Returns why it failed, or null. */
  private static String loadCopy(Path shim, Path copies) {
    try (Staging copy = ResourceCache.privateCopy(shim, copies)) {
      return loadOne(copy.directory().resolve(shim.getFileName()));
    } catch (IOException e) {
      return "already loaded in another classloader, and no copy can be made: " + e.getMessage();
    }
  }

  // The path is one that this class chose, absolute.
  @SuppressWarnings("restricted")
  private static String loadOne(Path library) {
    try {
      System.load(library.toString());
      return null;
    } catch (UnsatisfiedLinkError e) {
      return String.valueOf(e.getMessage());
    }
  }
}
