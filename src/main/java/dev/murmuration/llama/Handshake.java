package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.bindings.llama_batch;
import dev.murmuration.llama.bindings.llama_context_params;
import dev.murmuration.llama.bindings.llama_model_params;
import dev.murmuration.llama.bindings.llama_model_quantize_params;
import dev.murmuration.llama.bindings.llama_model_tensor_override;
import dev.murmuration.llama.loading.LoadFailure;
import java.io.IOException;
import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.lang.foreign.SymbolLookup;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Whether the loaded libraries are the ones that the bindings were generated from. */
final class Handshake {
  /** What the bindings call that is not in the libraries of ours. */
  private static final Set<String> LIBC =
      Set.of(
          "function setenv",
          "function unsetenv",
          "function geteuid",
          "function getpriority",
          "function setpriority");

  private Handshake() {}

  /**
   * Compares the versions and struct layouts that the libraries report with those of the bindings.
   *
   * @param directory where they were loaded from
   * @throws LinkageError naming both sides of a mismatch
   */
  static void of(Path directory) {
    requireOwnLibraries(directory);
    Map<String, String> lock = BindingsLock.values();
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
    return BindingsLock.symbols().stream()
        .filter(line -> line.startsWith("function ") && !LIBC.contains(line))
        .map(line -> line.substring("function ".length()))
        .toList();
  }

  /**
   * Makes sure that the shim calls the libraries beside it. The system finds loaded libraries by
   * name, so the shim could have been bound to another version of llama.cpp in this process.
   */
  private static void requireOwnLibraries(Path directory) {
    for (String line : Bindings.murmur_libraries().getString(0).lines().toList()) {
      Path loaded = Path.of(line);
      try {
        if (!directory.equals(loaded.getParent())
            && Files.mismatch(loaded, directory.resolve(loaded.getFileName())) >= 0) {
          throw new IOException("it differs");
        }
      } catch (IOException e) {
        throw LoadFailure.error(
            "another build of llama.cpp is loaded in this JVM already, "
                + loaded
                + ", and its libraries have the names of those in "
                + directory
                + " ("
                + e.getMessage()
                + "); load one of the two only, or run them in a JVM each",
            e);
      }
    }
  }
}
