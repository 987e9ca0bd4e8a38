package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_batch;
import dev.murmuration.llama.bindings.llama_context_params;
import dev.murmuration.llama.bindings.llama_model_params;
import dev.murmuration.llama.bindings.llama_model_quantize_params;
import dev.murmuration.llama.bindings.llama_model_tensor_override;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.lang.foreign.Arena;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.SymbolLookup;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * Finds llama.cpp and the shim, loads them, and makes sure that they are the ones that the bindings
 * were generated from.
 *
 * <p>Looked for in this order: the directory named by {@code -Dmurmuration.native.dir}, the jar
 * ({@code META-INF/native/{os}-{arch}/}, extracted by {@link ResourceCache}). There is no further
 * place: the library path and the working directory could hold anything.
 */
final class NativeLibrary {
  static final String DIRECTORY_PROPERTY = "murmuration.native.dir";
  private static final String MANIFEST = "MANIFEST";

  /**
   * A line of the manifest: what native/build.sh made. {@code load} is false for what ggml or the
   * system loads itself.
   */
  private record Library(ResourceCache.Entry file, boolean load) {}

  private NativeLibrary() {}

  /**
   * Loads everything and returns the directory it was loaded from.
   *
   * @throws LinkageError naming what was tried, or both sides of a mismatch
   */
  static Path load() {
    requireNativeAccess();
    prepareEnvironment();
    String named = System.getProperty(DIRECTORY_PROPERTY);
    Path directory = named == null || named.isBlank() ? fromJar() : Path.of(named).toAbsolutePath();
    for (Library library : manifest(directory)) {
      if (library.load()) {
        loadOne(directory.resolve(library.file().name()));
      }
    }
    handshake(directory);
    return directory;
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

  /** What ggml reads from the environment while it is being loaded, and never again. */
  private static void prepareEnvironment() {
    try (Arena arena = Arena.ofConfined()) {
      // ggml would fork a debugger to print a backtrace when it aborts.
      Bindings.setenv(arena.allocateFrom("GGML_NO_BACKTRACE"), arena.allocateFrom("1"), 1);
      // ggml would load a library from there.
      Bindings.unsetenv(arena.allocateFrom("GGML_BACKEND_PATH"));
    }
  }

  static String platform() {
    String os = System.getProperty("os.name").toLowerCase(Locale.ROOT);
    String arch = System.getProperty("os.arch").toLowerCase(Locale.ROOT);
    return (os.startsWith("mac") ? "macos" : os.replace(' ', '_'))
        + "-"
        + switch (arch) {
          case "amd64" -> "x86_64";
          case "arm64" -> "aarch64";
          default -> arch;
        };
  }

  private static Path fromJar() {
    String folder = "/META-INF/native/" + platform() + "/";
    byte[] manifest;
    try (InputStream in = NativeLibrary.class.getResourceAsStream(folder + MANIFEST)) {
      if (in == null) {
        throw new UnsatisfiedLinkError(
            "no native library for "
                + platform()
                + ": -D"
                + DIRECTORY_PROPERTY
                + " is not set, and the class path holds no "
                + folder.substring(1)
                + MANIFEST
                + "; build it with native/build.sh on this machine, or take a jar made for "
                + platform());
      }
      manifest = in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + folder + MANIFEST + " from the jar", e);
    }
    String hash = HexFormat.of().formatHex(ResourceCache.sha256().digest(manifest));
    List<ResourceCache.Entry> files =
        new ArrayList<>(
            parse(new String(manifest, StandardCharsets.UTF_8)).stream()
                .map(Library::file)
                .toList());
    files.add(new ResourceCache.Entry(MANIFEST, manifest.length, hash));
    return ResourceCache.extract(
        NativeLibrary.class, folder, "native-" + hash.substring(0, 24), files);
  }

  private static List<Library> manifest(Path directory) {
    try {
      return parse(Files.readString(directory.resolve(MANIFEST)));
    } catch (IOException e) {
      throw unsatisfied(
          directory
              + " holds no readable "
              + MANIFEST
              + "; name a directory made by native/build.sh"
              + " (native/build/current/META-INF/native/"
              + platform()
              + ")",
          e);
    }
  }

  private static List<Library> parse(String manifest) {
    List<Library> libraries = new ArrayList<>();
    for (String line : manifest.lines().toList()) {
      String[] field = line.split(" ", 4);
      libraries.add(
          new Library(
              new ResourceCache.Entry(field[3], Long.parseLong(field[1]), field[0]),
              field[2].equals("load")));
    }
    return libraries;
  }

  // The path is one that this class chose, absolute.
  @SuppressWarnings("restricted")
  private static void loadOne(Path library) {
    try {
      System.load(library.toString());
    } catch (UnsatisfiedLinkError e) {
      throw unsatisfied(
          "cannot load "
              + library
              + " on "
              + platform()
              + ": "
              + e.getMessage()
              + "; was it built on another machine? native/build.sh builds it for this one",
          e);
    }
  }

  private static void handshake(Path directory) {
    Map<String, String> lock = properties("bindings.lock");
    compare(
        directory,
        "llama.cpp's commit",
        Bindings.murmur_llama_commit().getString(0),
        lock.get("llama.commit"));
    compare(
        directory,
        "the hash of the headers",
        Bindings.murmur_header_hash().getString(0),
        lock.get("headers.sha256"));
    Map<String, GroupLayout> structs =
        Map.of(
            "llama_model_params", llama_model_params.layout(),
            "llama_context_params", llama_context_params.layout(),
            "llama_model_quantize_params", llama_model_quantize_params.layout(),
            "llama_model_tensor_override", llama_model_tensor_override.layout(),
            "llama_batch", llama_batch.layout());
    for (String line : Bindings.murmur_layouts().getString(0).lines().toList()) {
      String[] field = line.split("[. ]", -1);
      GroupLayout struct = structs.get(field[0]);
      long ours =
          field.length == 2
              ? struct.byteSize()
              : struct.byteOffset(PathElement.groupElement(field[1]));
      compare(
          directory,
          line.substring(0, line.indexOf(' ')),
          field[field.length - 1],
          Long.toString(ours));
    }
    SymbolLookup symbols = SymbolLookup.loaderLookup();
    for (String function : symbols()) {
      if (symbols.find(function).isEmpty()) {
        throw new UnsatisfiedLinkError(
            "the library in "
                + directory
                + " lacks "
                + function
                + "; rebuild it with native/build.sh");
      }
    }
  }

  private static void compare(Path directory, String what, String native_, String java) {
    if (!native_.equals(java)) {
      throw new LinkageError(
          "the library in "
              + directory
              + " does not fit this jar: "
              + what
              + " is "
              + native_
              + " there, and the bindings were made for "
              + java
              + "; rebuild it with native/build.sh");
    }
  }

  /** The functions of llama.cpp, ggml and the shim that the bindings call. */
  private static List<String> symbols() {
    return resource("symbols.txt")
        .lines()
        .filter(line -> line.startsWith("function ") && !line.endsWith("setenv"))
        .map(line -> line.substring("function ".length()))
        .toList();
  }

  static Map<String, String> properties(String name) {
    return resource(name)
        .lines()
        .filter(line -> !line.startsWith("#") && line.contains("="))
        .collect(
            Collectors.toMap(
                line -> line.substring(0, line.indexOf('=')),
                line -> line.substring(line.indexOf('=') + 1)));
  }

  private static String resource(String name) {
    try (InputStream in = NativeLibrary.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new LinkageError("the jar is broken: it lacks " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException("cannot read " + name + " from the jar", e);
    }
  }

  private static UnsatisfiedLinkError unsatisfied(String message, Throwable cause) {
    UnsatisfiedLinkError error = new UnsatisfiedLinkError(message);
    error.initCause(cause);
    return error;
  }
}
