package dev.murmuration.llama;

import dev.murmuration.llama.bindings.Bindings;
import java.lang.foreign.Arena;
import java.util.List;
import java.util.Map;

/**
 * In which numbers GPUs multiply. By themselves they round what they multiply to float16 (Vulkan)
 * or to the ten bits of TF32 (CUDA). Their backends read from the environment whether they may,
 * when the first model is put on them, and never again: so a process has one arithmetic, whatever
 * class loaders are in it. Any thread may call.
 */
final class DeviceArithmetic {
  /** What is said there once holds for the process. */
  private static final String PROPERTY = "murmuration.gpu.arithmetic";

  private static final String SINGLE = "float32";
  private static final String HALF = "float16";

  private static final Object LOCK = "dev.murmuration.llama.DeviceArithmetic".intern();

  private static final Map<String, String> ENVIRONMENT =
      Map.of(
          "GGML_VK_DISABLE_F16", "1",
          "GGML_VK_DISABLE_COOPMAT", "1",
          "GGML_VK_DISABLE_COOPMAT2", "1",
          "GGML_CUDA_CUBLAS_COMPUTE_TYPE", "f32",
          "NVIDIA_TF32_OVERRIDE", "0");

  private DeviceArithmetic() {}

  /**
   * Makes devices multiply in float32 from now on if that is asked for.
   *
   * @param devices that a model is about to be put on
   * @throws IllegalStateException if they do it in float16 already
   */
  static void choose(boolean single, List<Device> devices) {
    if (devices.isEmpty()) {
      return;
    }
    synchronized (LOCK) {
      String chosen = System.getProperty(PROPERTY);
      if (chosen == null) {
        if (single) {
          setEnvironment();
        }
        System.setProperty(PROPERTY, single ? SINGLE : HALF);
      } else if (single && chosen.equals(HALF)) {
        throw new IllegalStateException(
            "precision exact was asked for on "
                + devices.getFirst().name()
                + ", and this process computes there in float16 since it loaded a model with"
                + " precision fast; load the exact one before the first fast one, in a process of"
                + " its own, or on the CPU with gpuLayers(0)");
      }
    }
  }

  private static void setEnvironment() {
    try (Arena arena = Arena.ofConfined()) {
      ENVIRONMENT.forEach(
          (name, value) -> Bindings.setenv(arena.allocateFrom(name), arena.allocateFrom(value), 1));
    }
  }
}
