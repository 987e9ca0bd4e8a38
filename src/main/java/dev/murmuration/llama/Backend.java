package dev.murmuration.llama;

import dev.murmuration.llama.loading.LoadFailure;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;

/**
 * A part of llama.cpp that computes on one kind of hardware.
 *
 * @param name such as {@code CPU}, {@code CUDA} or {@code Vulkan}
 * @param devices names of its devices ({@link Device#name()})
 * @param problem why it has none, and what helps; null if it has one
 */
public record Backend(String name, List<String> devices, String problem) {
  private static final String VISIBLE_VULKAN = "GGML_VK_VISIBLE_DEVICES";

  /** As the shim's {@code murmur_backends} says it. */
  static Backend parse(String line) {
    String[] part = line.split("\t", 3);
    String name = displayName(part[0]);
    List<String> devices = Arrays.stream(part[1].split(",")).filter(d -> !d.isEmpty()).toList();
    return new Backend(name, devices, devices.isEmpty() ? problem(name, part[2]) : null);
  }

  private static String displayName(String name) {
    return switch (name.toLowerCase(Locale.ROOT)) {
      case "mtl", "metal" -> "Metal";
      case "vulkan" -> "Vulkan";
      case "cuda" -> "CUDA";
      default -> name;
    };
  }

  private static String problem(String name, String said) {
    String kind = said.substring(0, (said + " ").indexOf(' '));
    String words = said.substring(kind.length()).strip();
    return switch (kind) {
      case "load" ->
          "its library cannot be loaded (" + words + "): " + LoadFailure.remedyFor(words);
      case "refused" -> name.equals("Vulkan") ? vulkan(words) : "it does not work here";
      default -> noDevice(name, words);
    };
  }

  private static String vulkan(String words) {
    if (!words.isEmpty()) {
      return "the system has Vulkan, but no driver for it; install the GPU's (Debian, Ubuntu:"
          + " mesa-vulkan-drivers, or NVIDIA's own)";
    }
    String visible = System.getenv(VISIBLE_VULKAN);
    return visible == null
        ? "Vulkan could not be initialised; its version 1.2 is needed: update the GPU's driver"
        : "Vulkan could not be initialised with "
            + VISIBLE_VULKAN
            + "="
            + visible
            + ", which has to hold numbers of devices that are there, from 0; change or unset it";
  }

  private static String noDevice(String name, String words) {
    return switch (name) {
      case "CUDA" ->
          "it found no GPU ("
              + words.substring(words.indexOf(": ") + 1).strip()
              + "); install NVIDIA's driver, and let this process have the GPU (in a container:"
              + " --gpus all)";
      case "Vulkan" -> "the driver shows no GPU" + notVisible(System.getenv(VISIBLE_VULKAN));
      default -> "it found no device";
    };
  }

  static String notVisible(String numbers) {
    return numbers == null
        ? "; one that computes on the processor counts only if " + VISIBLE_VULKAN + " names it"
        : " that "
            + VISIBLE_VULKAN
            + "='"
            + numbers
            + "' names, which has to hold numbers of devices, from 0, with commas between; change"
            + " or unset it";
  }
}
