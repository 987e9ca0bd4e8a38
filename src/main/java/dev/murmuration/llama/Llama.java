package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import dev.murmuration.llama.loading.NativeLibrary;
import dev.murmuration.llama.loading.Notes;
import dev.murmuration.machine.FreeMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;

/**
 * llama.cpp as a whole: loaded and initialised on first use, once a process. Any thread may call.
 *
 * <p>llama.cpp's log goes to the {@link System.Logger} named {@code dev.murmuration.llama}; only
 * its errors, unless {@link #setVerbose} asks for all.
 */
public final class Llama {
  private Llama() {}

  /** Loads on first use; a failure is a {@link LinkageError} with the reason, at every call. */
  private static final class Holder {
    static final Path DIRECTORY;
    static final LinkageError FAILURE;

    static {
      Path directory = null;
      LinkageError failure = null;
      try {
        directory = NativeLibrary.load(Llama::initialise);
      } catch (LinkageError e) {
        failure = e;
      } catch (RuntimeException e) {
        failure = new LinkageError("llama.cpp could not be loaded: " + e.getMessage(), e);
      }
      DIRECTORY = directory;
      FAILURE = failure;
    }
  }

  // Written while the library is loaded, before anybody can ask.
  private static List<Backend> backends = List.of();

  private static void initialise(Path directory) {
    Handshake.of(directory);
    try (Arena arena = Arena.ofConfined()) {
      NativeError error = new NativeError(arena);
      int devices =
          Bindings.murmur_init(
              arena.allocateFrom(directory.toString()), error.segment(), error.size());
      if (devices < 0) {
        throw error.exception("murmur_init", devices, "llama.cpp could not be initialised");
      }
      backends = backends(arena, directory);
      if (devices == 0) {
        throw new LinkageError(
            "no compute backend could be loaded from "
                + directory
                + "; rebuild it with native/build.sh");
      }
      Bindings.murmur_log_level(LlamaLog.ERROR);
    }
  }

  private static List<Backend> backends(Arena arena, Path directory) {
    MemorySegment text = arena.allocate(1 << 16);
    int code =
        Bindings.murmur_backends(arena.allocateFrom(directory.toString()), text, text.byteSize());
    return code == 0 ? text.getString(0).lines().map(Backend::parse).toList() : List.of();
  }

  /**
   * The backends of the loaded library: those that have devices, and those that have none, with the
   * reason.
   */
  public static List<Backend> backends() {
    ensureLoaded();
    return backends;
  }

  /** Makes sure that llama.cpp is loaded, and returns the directory that it was loaded from. */
  public static Path ensureLoaded() {
    if (Holder.FAILURE != null) {
      throw Holder.FAILURE;
    }
    return Holder.DIRECTORY;
  }

  /**
   * The llama.cpp that this project is built on: release and commit, such as {@code 0.5.0
   * (de3ff81)}. Loads nothing.
   */
  public static String version() {
    Map<String, String> lock = BindingsLock.values();
    return lock.get("llama.version") + " (" + lock.get("llama.commit").substring(0, 7) + ")";
  }

  /**
   * Which of Murmuration's own kernels compute on the CPU, such as {@code avx512-vnni}; empty if
   * llama.cpp's compute everything, because this processor has none or {@code MURMUR_KERNELS=off}
   * is set.
   */
  public static String kernels() {
    ensureLoaded();
    return Bindings.murmur_kernels().getString(0);
  }

  /**
   * Whether Murmuration's own kernels compute products of matrices of a type on the CPU.
   *
   * @param type a {@code ggml_type}
   */
  public static boolean kernelsMultiply(int type) {
    ensureLoaded();
    return Bindings.murmur_kernels_multiply(type) != 0;
  }

  /**
   * Whether Murmuration's own kernels compute attention on the CPU.
   *
   * @param headSize length of one head's query, key and value
   * @param group query heads that share a key head
   */
  public static boolean kernelsAttend(int headSize, int group) {
    ensureLoaded();
    return Bindings.murmur_kernels_attend(headSize, group) != 0;
  }

  /** What the CPU backend was compiled for, in llama.cpp's words: {@code CPU : AVX512 = 1 | …}. */
  public static String systemInfo() {
    ensureLoaded();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment text = arena.allocate(4096);
      Bindings.murmur_system_info(text, text.byteSize());
      return text.getString(0).strip();
    }
  }

  /** Whether llama.cpp's whole log is kept (information, warnings), or its errors only. */
  public static void setVerbose(boolean verbose) {
    ensureLoaded();
    Bindings.murmur_log_level(verbose ? LlamaLog.INFO : LlamaLog.ERROR);
    Notes.setVerbose(verbose);
  }

  /** The devices of this machine that the loaded library can use, the preferred ones first. */
  public static List<Device> devices() {
    ensureLoaded();
    List<Device> devices = new ArrayList<>();
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment free = arena.allocate(ValueLayout.JAVA_LONG);
      MemorySegment total = arena.allocate(ValueLayout.JAVA_LONG);
      for (long i = 0; i < Bindings.ggml_backend_dev_count(); i++) {
        MemorySegment device = Bindings.ggml_backend_dev_get(i);
        Bindings.ggml_backend_dev_memory(device, free, total);
        Device.Kind kind = kind(Bindings.ggml_backend_dev_type(device));
        devices.add(
            new Device(
                Bindings.ggml_backend_dev_name(device).getString(0),
                Bindings.ggml_backend_dev_description(device).getString(0),
                kind,
                // ggml says of a CPU that all its memory is free.
                kind == Device.Kind.CPU ? FreeMemory.bytes() : free.get(ValueLayout.JAVA_LONG, 0),
                total.get(ValueLayout.JAVA_LONG, 0)));
      }
    }
    return List.copyOf(devices);
  }

  /** ggml's handle of the device with this name, or null. */
  static MemorySegment deviceHandle(String name) {
    for (long i = 0; i < Bindings.ggml_backend_dev_count(); i++) {
      MemorySegment device = Bindings.ggml_backend_dev_get(i);
      if (Bindings.ggml_backend_dev_name(device).getString(0).equalsIgnoreCase(name)) {
        return device;
      }
    }
    return null;
  }

  private static Device.Kind kind(int type) {
    if (type == Bindings.GGML_BACKEND_DEVICE_TYPE_GPU()) {
      return Device.Kind.GPU;
    }
    if (type == Bindings.GGML_BACKEND_DEVICE_TYPE_IGPU()) {
      return Device.Kind.INTEGRATED_GPU;
    }
    return type == Bindings.GGML_BACKEND_DEVICE_TYPE_CPU()
        ? Device.Kind.CPU
        : Device.Kind.ACCELERATOR;
  }
}
