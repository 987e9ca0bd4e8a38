package dev.murmuration.cli.doctor;

import dev.murmuration.cli.terminal.Numbers;
import dev.murmuration.cli.view.Wording;
import dev.murmuration.llama.Device;
import dev.murmuration.llama.Llama;
import dev.murmuration.llama.loading.NativeLibrary;
import dev.murmuration.llama.loading.NativeManifest;
import dev.murmuration.llama.loading.Platform;
import dev.murmuration.machine.GpuDrivers;
import dev.murmuration.machine.MappedFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The native library: whether it is there and can be loaded, and what it computes with. */
final class LibraryChecks {
  private static final Pattern VARIANT = Pattern.compile("libggml-cpu-(\\w+)\\.so.*");

  private LibraryChecks() {}

  /** Whether it can be loaded. */
  static Finding library() {
    Path directory;
    try {
      directory = Llama.ensureLoaded();
    } catch (LinkageError e) {
      return Finding.problem("library", Wording.message(e)).with("platform", Platform.name());
    }
    boolean named = System.getProperty(NativeLibrary.DIRECTORY_PROPERTY) != null;
    NativeManifest manifest;
    try {
      manifest = NativeManifest.parse(Files.readString(directory.resolve(NativeManifest.NAME)));
      manifest.requireIn(directory, true);
    } catch (IOException e) {
      return Finding.problem(
          "library",
          "the libraries in "
              + directory
              + " are not whole: "
              + e.getMessage()
              + "; unpack or install Murmuration again");
    }
    return Finding.ok(
            "library",
            "llama.cpp "
                + Llama.version()
                + (named ? " in " : " of the class path, extracted into ")
                + directory
                + ", "
                + machines(manifest))
        .with("directory", directory.toString())
        .with("llama_cpp", Llama.version())
        .with("platform", Platform.name())
        .with("portable", manifest.cpu().isEmpty())
        .with("glibc", manifest.glibc());
  }

  private static String machines(NativeManifest manifest) {
    return (manifest.cpu().isEmpty()
            ? "for every " + Platform.name().replaceFirst(".*-", "") + " processor"
            : "for processors like this one")
        + (manifest.glibc().isEmpty() ? "" : " and glibc " + manifest.glibc() + " or newer");
  }

  /** What computes on the processor. */
  static Finding kernels() {
    String variant =
        MappedFiles.here().stream()
            .map(file -> VARIANT.matcher(String.valueOf(file.getFileName())))
            .filter(Matcher::matches)
            .map(name -> name.group(1))
            .findFirst()
            .orElse(null);
    String from = variant == null ? "" : ", of the variant " + variant;
    Finding found;
    if (!Llama.kernels().isEmpty()) {
      found = Finding.ok("kernels", "Murmuration's for " + Llama.kernels() + from);
    } else if (isOff()) {
      found =
          Finding.note(
              "kernels",
              "llama.cpp's"
                  + from
                  + ", because MURMUR_KERNELS=off is set; unset it for faster ones");
    } else {
      found =
          Finding.ok(
              "kernels",
              "llama.cpp's" + from + "; Murmuration has none of its own for this processor");
    }
    return found.with("kernels", Llama.kernels()).with("variant", variant);
  }

  private static boolean isOff() {
    return Objects.equals(System.getenv("MURMUR_KERNELS"), "off")
        || Objects.equals(System.getProperty("murmuration.kernels"), "off");
  }

  /** The devices that take layers of a model, and why backends have none. */
  static Finding gpus() {
    List<Device> gpus =
        Llama.devices().stream().filter(device -> device.kind().takesLayers()).toList();
    List<String> problems =
        Llama.backends().stream()
            .filter(backend -> backend.problem() != null)
            .map(backend -> "no device of " + backend.name() + ": " + backend.problem())
            .toList();
    List<String> text = new ArrayList<>(gpus.stream().map(LibraryChecks::shown).toList());
    text.addAll(problems);
    if (gpus.isEmpty()) {
      text.addFirst(
          problems.isEmpty()
              ? "none, since this library is built without a backend for any (docs/gpu.md): the"
                  + " processor computes"
              : "none: the processor computes");
    }
    List<String> drivers = GpuDrivers.here();
    if (!drivers.isEmpty()) {
      text.add("drivers in the kernel: " + String.join(", ", drivers));
    }
    String said = String.join("; ", text);
    return (problems.isEmpty() ? Finding.ok("gpu", said) : Finding.note("gpu", said))
        .with("devices", gpus.stream().map(Device::name).toList())
        .with("drivers", drivers);
  }

  private static String shown(Device device) {
    return device.name()
        + ": "
        + device.description()
        + ", "
        + Numbers.bytes(device.freeBytes())
        + " free of "
        + Numbers.bytes(device.totalBytes());
  }
}
